"""Changing how people are reminded before a password ends, on the administration site. A file says
the same by `config_reminders`, and both keep the same rules (`expiry`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenants import audit
from tenants.audit import Party
from tenants.invalid import Invalid
from tenants.models import Group, Tenant
from tenants.policy import Problem
from tenants.policy_change import told

from ..expiry import days_problem, text_problem
from ..models import ExpiryReminders

TEXT = "text_"
"""What the name of a language's field begins with."""
_COLUMNS = ("days", "channel", "groups_excluded", "exclude_unregistered", "managers_summary")


@dataclass(frozen=True)
class ReminderSettings:
    """What administrators set. groups_excluded: names; texts: language → own words."""

    days: Sequence[int]
    channel: str
    groups_excluded: Sequence[str]
    exclude_unregistered: bool
    managers_summary: bool
    texts: Mapping[str, str]


def change_reminders(wanted: ReminderSettings, *, by: Party, now: datetime) -> tuple[str, ...]:
    """Stores what differs and says in the trail what it was and is; returns the names of the
    fields. Raises Invalid."""
    # Policy as code waits for the same lock, and the worker for the row's.
    Tenant.objects.select_for_update(no_key=True).get()
    ids = _ids_of(wanted.groups_excluded)
    found = [*_problems(wanted, ids)]
    if found:
        raise Invalid(found)
    row = ExpiryReminders.objects.select_for_update().first()
    standing = row if row is not None else ExpiryReminders()
    changes = list(_changes(standing, wanted))
    if not changes and row is not None:
        return ()
    standing.days = sorted(wanted.days, reverse=True)
    standing.channel = wanted.channel
    standing.groups_excluded = sorted(ids.values())
    standing.exclude_unregistered = wanted.exclude_unregistered
    standing.managers_summary = wanted.managers_summary
    standing.texts = _texts(wanted)
    standing.save()
    fields = [name for name, _, _ in changes]
    words = [f"{name}: {before} → {after}" for name, before, after in changes]
    data = {"fields": fields, "changes": words}
    audit.record("reminders.changed", actor=by, data=data, now=now)
    return tuple(fields)


def names_of(row: ExpiryReminders) -> list[str]:
    """The groups that are left out; one that is gone is not among them."""
    known = {str(pk): name for pk, name in Group.objects.values_list("pk", "name")}
    return sorted(known[pk] for pk in row.groups_excluded if pk in known)


def _ids_of(names: Sequence[str]) -> dict[str, str]:
    """Name → id, for the groups there are."""
    asked = [name for name in names if name.isprintable()]
    rows = Group.objects.filter(name__in=asked).values_list("name", "pk")
    return {name: str(pk) for name, pk in rows}


def _problems(wanted: ReminderSettings, ids: Mapping[str, str]) -> Iterable[Problem]:
    sentence = days_problem(wanted.days)
    if sentence:
        yield Problem("days", "shape", sentence)
    if wanted.channel not in ExpiryReminders.Channel.values:
        yield Problem("channel", "shape", "Choose how people are told.")
    for name in wanted.groups_excluded:
        if name not in ids:
            yield Problem("groups_excluded", "unknown", f"There is no group “{name[:100]}”.")
    for tag, text in wanted.texts.items():
        sentence = text_problem(text)
        if sentence:
            yield Problem(f"{TEXT}{tag}", "shape", sentence)


def _texts(wanted: ReminderSettings) -> dict[str, str]:
    return {tag: text for tag, text in sorted(wanted.texts.items()) if text}


def _changes(row: ExpiryReminders, wanted: ReminderSettings) -> Iterable[tuple[str, str, str]]:
    """(field, before, after) of what differs, in words; of texts only whether there is one."""
    before = {name: getattr(row, name) for name in _COLUMNS} | {"groups_excluded": names_of(row)}
    after: dict[str, Any] = {name: getattr(wanted, name) for name in _COLUMNS}
    after["days"] = sorted(wanted.days, reverse=True)
    after["groups_excluded"] = sorted(set(wanted.groups_excluded))
    for name in _COLUMNS:
        if before[name] != after[name]:
            yield name, told(before[name]), told(after[name])
    texts = _texts(wanted)
    for tag in sorted({*row.texts, *texts}):
        if row.texts.get(tag) != texts.get(tag):
            yield f"{TEXT}{tag}", _words(row.texts.get(tag)), _words(texts.get(tag))


def _words(text: str | None) -> str:
    return f"{len(text)} characters" if text else "nothing"
