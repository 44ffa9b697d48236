"""Changing the reset policy: checked by the rules that files are checked by, told in the trail.

Two administrators who save at once never undo each other's change unseen: whoever comes second
holds an old version, is told what stands now, and decides.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from . import audit
from .audit import Party
from .config.policy_section import (
    DEPENDS,
    LIMITS_TABLE,
    PASSWORD,
    PASSWORD_COLUMNS,
    POLICY,
)
from .config.policy_warnings import TERMS_NOT_COUNTED, policy_warnings
from .config.shapes import Key, faults
from .invalid import Invalid
from .licensing import Entitlements
from .limits import limit_problem
from .models import AuditEvent, ResetPolicy, Tenant
from .policy import PolicyRules, Problem, problems
from .policy_knowledge import KNOWN

LIMIT = "limit_"
"""What the name of a limit's field begins with."""
_KEYS: Mapping[str, tuple[str, Key]] = {
    **{name: (f"policy.{name}", key) for name, key in POLICY.keys.items()},
    **{PASSWORD_COLUMNS[name]: (f"password.{name}", key) for name, key in PASSWORD.keys.items()},
}
"""Column → its key in a file, and what it may hold."""
COLUMNS = tuple(_KEYS)


class VersionPassed(Invalid):
    """Somebody else changed the policy in between. `version` is the one that stands now."""

    def __init__(self, version: int, found: Iterable[Problem]) -> None:
        super().__init__(found)
        self.version = version


def rules_of(wanted: Mapping[str, Any]) -> PolicyRules:
    """The rules in a set of columns; `group` is a row or nothing."""
    values = {name: wanted[name] for name in PolicyRules.__dataclass_fields__}
    group = values["group"]
    values["group"] = str(group.pk) if group is not None else ""
    for name in ("methods", "custom_questions"):
        values[name] = tuple(values[name])
    return PolicyRules(**values)


def policy_problems(wanted: Mapping[str, Any]) -> list[Problem]:
    """Everything that keeps these columns from being saved, each at its column.

    `wanted` holds all of COLUMNS and `limits`. A combination is judged only where its parts are
    right by themselves.
    """
    found = [*_value_problems(wanted), *_limit_problems(wanted["limits"])]
    wrong = {problem.field for problem in found}
    if not wrong & PolicyRules.__dataclass_fields__.keys():
        return found + list(problems(rules_of(wanted)))
    filled = {
        name: _KEYS[name][1].default if name in wrong and name != "group" else value
        for name, value in wanted.items()
    }
    return found + [
        problem
        for problem in problems(rules_of(filled))
        if not wrong.intersection(DEPENDS.get(problem.field, (problem.field,)))
    ]


def _value_problems(wanted: Mapping[str, Any]) -> Iterable[Problem]:
    for column, (_, key) in _KEYS.items():
        if column == "group":
            continue
        for place, fix in faults(key.shape, wanted[column]):
            yield Problem(column, "shape", _at_line(place, fix))
    for sentence in KNOWN.term_problems(wanted["banned_terms"]):
        yield Problem("banned_terms", "term", sentence)


def _at_line(place: str, fix: str) -> str:
    """People count lines from 1."""
    number = place.strip("[]")
    return f"Line {int(number) + 1}: {fix}" if number.isdigit() else fix


def _limit_problems(limits: Mapping[str, object]) -> Iterable[Problem]:
    for name, count in limits.items():
        problem = limit_problem(name, count)
        if problem is not None:
            yield Problem(f"{LIMIT}{name}", "limit", problem)


def warnings_of(
    rules: PolicyRules, granted: Entitlements, *, banned_terms: bool
) -> list[tuple[str, str]]:
    """(column, sentence) for what is allowed but will not do what it seems to; stored nowhere."""
    found = list(policy_warnings(rules, granted))
    for method in rules.methods:
        if method not in KNOWN.verifiable:
            name = method.replace("_", " ")
            found.append(("methods", f"Nobody can use {name} in this version yet."))
    if len(KNOWN.verifiable.intersection(rules.methods)) < rules.methods_required:
        sentence = "Fewer methods can be used in this version than the policy requires."
        found.append(("methods_required", sentence))
    if banned_terms and not granted.custom_banned:
        found.append(("banned_terms", TERMS_NOT_COUNTED))
    return found


def change_policy(
    wanted: Mapping[str, Any], *, version: int, by: Party, now: datetime
) -> tuple[str, ...]:
    """Stores the policy and says in the trail what changed; returns the keys that did.

    `version` is the one the change was made from, 0 for a first policy. Raises Invalid, and
    VersionPassed where another one stands.
    """
    found = policy_problems(wanted)
    if found:
        raise Invalid(found)
    # Policy as code waits for the same lock.
    Tenant.objects.select_for_update(no_key=True).get()
    row = ResetPolicy.objects.select_related("group").first()
    standing = row.version if row is not None else 0
    if standing != version:
        raise VersionPassed(standing, _passed(row, wanted))
    policy = row if row is not None else ResetPolicy(version=0)
    changes = list(_changes(policy, wanted))
    if not changes and row is not None:
        return ()
    for column in COLUMNS:
        setattr(policy, column, _stored(wanted[column]))
    policy.limits = dict(wanted["limits"])
    policy.version += 1
    policy.save()
    keys = tuple(key for key, _, _ in changes)
    words = [f"{key}: {told(before)} → {told(after)}" for key, before, after in changes]
    data = {"fields": list(keys), "changes": words, "version": policy.version}
    audit.record("policy.changed", actor=by, data=data, now=now)
    return keys


def _passed(row: ResetPolicy | None, wanted: Mapping[str, Any]) -> Iterable[Problem]:
    last = AuditEvent.objects.filter(type="policy.changed").order_by("-created_at", "-id").first()
    who = f" by {last.actor_label}" if last is not None else ""
    yield Problem(
        "",
        "version",
        f"The policy was changed{who} while you worked on it. Nothing of yours is lost: compare "
        "what was saved meanwhile, then save again.",
    )
    if row is None:
        return
    for key, before, _ in _changes(row, wanted):
        yield Problem(_column_of(key), "version", f"Saved meanwhile: {told(before)}.")


def _column_of(key: str) -> str:
    section, _, name = key.partition(".")
    if section == "limits":
        return f"{LIMIT}{name}"
    return PASSWORD_COLUMNS[name] if section == "password" else name


def _changes(row: ResetPolicy, wanted: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    """(key of a file, before, after) for everything that differs."""
    for column, (key, _) in _KEYS.items():
        before, after = getattr(row, column), _stored(wanted[column])
        if before != after:
            yield key, before, after
    limits = wanted["limits"]
    for name in LIMITS_TABLE.keys:
        if row.limits.get(name) != limits.get(name):
            yield f"limits.{name}", row.limits.get(name), limits.get(name)


def _stored(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def told(value: Any) -> str:
    """A value as administrators read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", []):
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
