"""PURE. What became of a job when the answer of the directory was lost (R-22, R-23, R-24).

A directory that does not answer may have done it all the same. So nothing is tried blindly again:
the same domain controller is asked for the version of the password before and after.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .connectors.answers import PROVES_THE_PASSWORD, SignIn

Next = Literal["retry", "try_bind", "not_applied", "ask_again", "unknown"]
Outcome = Literal["succeeded", "superseded", "failed", "unknown"]

SETTLES_AFTER = timedelta(seconds=10)
"""After the connection is closed: how long a directory may still be at the change."""
TOLD_WITHIN = timedelta(seconds=60)
"""A job that was taken and of which nothing was heard until then is told as not confirmed, and
handed out to nobody any more."""
ASKED_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class Witness:
    """The password as one domain controller knows it. version: of `unicodePwd` in
    `msDS-ReplAttributeMetaData`, or the directory's own counter of changes."""

    controller: str
    version: int
    changed_at: datetime


def next_step(
    before: Witness,
    after: Witness | None,
    *,
    closed_at: datetime,
    expires: datetime,
    retried: bool,
    now: datetime,
) -> Next:
    """What to do about a job without an answer. after: nothing when nobody could be asked.

    retry: certainly not applied, and there is time for the one retry. try_bind: something was
    changed since; a bind tells whether it was this. ask_again: too early, or nobody answers yet.
    """
    if now < closed_at + SETTLES_AFTER:
        return "ask_again"
    if after is None or after.controller != before.controller:
        return "ask_again" if now < closed_at + ASKED_FOR else "unknown"
    if after.version > before.version:
        return "try_bind"
    return "retry" if not retried and now < expires else "not_applied"


def outcome_of_bind(answer: SignIn | None) -> Outcome:
    """What a bind with the new password tells about a change after which nobody answered.

    answer: nothing when the bind had none either.
    """
    if answer in PROVES_THE_PASSWORD:
        return "succeeded"
    return "superseded" if answer == "wrong" else "unknown"
