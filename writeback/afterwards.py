"""PURE. What an account shows of a change that nobody told of, when it is looked at afterwards.

The agent that had the job may be gone for good, so this is the last way to the truth: when the
password was last set. It is no proof for what happened within the same minute elsewhere, and is
only asked where nothing better came.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .outcomes import SETTLES_AFTER
from .reports import Report, found_done, found_superseded

SPREADS_WITHIN = timedelta(minutes=15)
"""By then what one controller was told is known to the others, so that any may be asked."""


def judge(
    operation: str,
    person: Mapping[str, Any],
    *,
    begun: datetime,
    closed: datetime,
    now: datetime,
) -> Report | None:
    """The end of a job; nothing while it can't be told. person: of a `describe`.

    begun: when the job was made; closed: when the last lease of it ended, after which nobody sends
    anything any more.
    """
    if now < closed + SETTLES_AFTER:
        return None
    is_locked, is_settled = bool(person.get("locked")), now >= closed + SPREADS_WITHIN
    if operation == "unlock":
        return _not_applied(is_settled) if is_locked else found_done(operation, is_locked=False)
    written = person.get("changed_at")
    if written is None:
        return None
    changed_at = datetime.fromisoformat(written)
    if changed_at < begun:
        return _not_applied(is_settled)
    if changed_at > closed + SETTLES_AFTER:
        return found_superseded()
    return found_done(operation, is_locked=is_locked)


def _not_applied(is_settled: bool) -> Report | None:
    return Report("failed", "not_applied", reconciled=True) if is_settled else None
