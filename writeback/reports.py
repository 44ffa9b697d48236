"""PURE. What an agent reports of a job: a small fixed vocabulary, believed in nothing else.

A report comes from outside, so it is read field by field; no text of a directory, which could hold
anything, is ever part of one.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from .connectors.answers import Cause as ChangeCause
from .connectors.answers import SignIn
from .connectors.base import DirectoryRules, Trouble
from .outcomes import Outcome
from .protocol import UNLOCKS
from .protocol import Cause as RefusedCause

OUTCOMES: Final = frozenset(get_args(Outcome))
SIGN_INS: Final = frozenset(get_args(SignIn))
OWN_CAUSES: Final = frozenset(
    {
        "protected",
        "outside_places",
        "person_disabled",
        "account_ended",
        "held",
        "expired",
        "superseded",
        "not_applied",
        "no_answer",
        "journal",
        "clock_skew",
        "lease_lost",
        "key_mismatch",
        "not_for_this_agent",
    }
)
"""What a connector's answer is not: the agent's own reasons. held: the hourly cap; no_answer: the
directory never said what became of it; journal: nothing can be written down, so nothing is done."""
CAUSES: Final = frozenset(
    {*get_args(ChangeCause), *get_args(Trouble), *get_args(RefusedCause), *OWN_CAUSES, ""}
)
MAX_REPORT = 16 * 1024


@dataclass(frozen=True)
class Report:
    """What became of a job.

    cause: "" exactly for a success without remark; changed: whether the password is the new one
    now; unlocked: nothing where nothing was to be unlocked; reconciled: found out afterwards;
    answer: of `verify`; rules: of `describe`; controller: the server's short name.
    """

    outcome: Outcome
    cause: str = ""
    changed: bool = False
    unlocked: bool | None = None
    reconciled: bool = False
    answer: SignIn | None = None
    rules: DirectoryRules | None = None
    person: Mapping[str, Any] | None = None
    controller: str = ""
    code: str = ""
    at: int = 0


class NotAReport(ValueError):
    """What came is no report."""


def found_done(operation: str, *, is_locked: bool, controller: str = "", at: int = 0) -> Report:
    """A success that was found out afterwards. A lock that still stands is told (R-24)."""
    unlocked = not is_locked if operation in UNLOCKS else None
    return Report(
        "succeeded",
        "not_applied" if unlocked is False else "",
        changed=operation != "unlock",
        unlocked=unlocked,
        reconciled=True,
        controller=controller,
        at=at,
    )


def found_superseded(controller: str = "", at: int = 0) -> Report:
    """Somebody else set another password meanwhile."""
    return Report("superseded", "superseded", reconciled=True, controller=controller, at=at)


def written(report: Report) -> dict[str, Any]:
    """The report as JSON carries it."""
    found = asdict(report)
    found["rules"] = rules_written(report.rules) if report.rules is not None else None
    return found


def read(found: object) -> Report:
    """Raises NotAReport for anything that is not exactly one."""
    if not isinstance(found, Mapping) or set(found) != {field.name for field in fields(Report)}:
        raise NotAReport("fields")
    checks = (
        found["outcome"] in OUTCOMES,
        isinstance(found["cause"], str) and found["cause"] in CAUSES,
        isinstance(found["changed"], bool),
        found["unlocked"] is None or isinstance(found["unlocked"], bool),
        isinstance(found["reconciled"], bool),
        found["answer"] is None or found["answer"] in SIGN_INS,
        _is_short(found["controller"], 255),
        _is_short(found["code"], 20),
        _is_number(found["at"]),
    )
    if not all(checks):
        raise NotAReport("values")
    given = {**found, "rules": rules_read(found["rules"]), "person": person_read(found["person"])}
    return Report(**given)


_DURATIONS = ("min_age", "max_age", "lockout_duration")
_NUMBERS = ("min_length", "history", "lockout_threshold")
_MARKS = ("history_on_reset", "complexity", "fine_grained")
_LONGEST = 10**10


def rules_written(rules: DirectoryRules) -> dict[str, Any]:
    found = asdict(rules)
    for name in _DURATIONS:
        value = found[name]
        found[name] = None if value is None else int(value.total_seconds())
    return found


def rules_read(found: object) -> DirectoryRules | None:
    """Durations travel as whole seconds. Raises NotAReport."""
    if found is None:
        return None
    if not isinstance(found, Mapping) or set(found) != {*_DURATIONS, *_NUMBERS, *_MARKS}:
        raise NotAReport("rules")
    numbers = [found[name] for name in (*_DURATIONS, *_NUMBERS)]
    marks = [found[name] for name in _MARKS]
    if not all(number is None or _is_number(number) for number in numbers):
        raise NotAReport("rules")
    if not all(isinstance(mark, bool) for mark in marks):
        raise NotAReport("rules")
    ages = {
        name: None if found[name] is None else timedelta(seconds=found[name]) for name in _DURATIONS
    }
    return DirectoryRules(**{**found, **ages})


_PERSON_MARKS = ("protected", "enabled", "locked", "must_change", "may_reset", "may_unlock")
_PERSON_TIMES = ("changed_at", "password_ends", "account_ends")


def person_read(found: object) -> Mapping[str, Any] | None:
    """What `describe` says of a person: marks and ISO 8601 times with a zone. Raises NotAReport."""
    if found is None:
        return None
    if not isinstance(found, Mapping) or set(found) != {*_PERSON_MARKS, *_PERSON_TIMES}:
        raise NotAReport("person")
    if not all(isinstance(found[name], bool) for name in _PERSON_MARKS):
        raise NotAReport("person")
    if not all(_is_moment(found[name]) for name in _PERSON_TIMES):
        raise NotAReport("person")
    return found


def _is_moment(value: object) -> bool:
    if value is None:
        return True
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False


def _is_short(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and value.isprintable()


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LONGEST
