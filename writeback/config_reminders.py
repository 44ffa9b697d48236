"""The section reminders of policy as code: who is told before a password of a directory ends."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from tenants.config.document import HIDDEN, Document, Plan, shown
from tenants.config.report import Path, Report
from tenants.config.sections import Section, register
from tenants.config.shapes import INVALID, Flag, Key, Listing, Table, Text, Whole
from tenants.models import Group

from .expiry import (
    DAY_ONCE,
    DEFAULT_MARKS,
    LONGEST_MARK,
    LONGEST_TEXT,
    MOST_MARKS,
    TOO_MANY_DAYS,
    text_problem,
)
from .models import ExpiryReminders

NAME = "reminders"
NO_GROUP = "There is no such group: add it under [[groups]], or take it out here."


@dataclass(frozen=True)
class Words:
    """Several lines with macros."""

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, str):
            report.add(path, "Write a text in quotes.")
            return INVALID
        problem = text_problem(value)
        if problem:
            report.add(path, problem)
        return INVALID if problem else value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": LONGEST_TEXT}


TEXTS = Table({tag: Key(Words(), f"your own words in {name}") for tag, name in settings.LANGUAGES})
REMINDERS = Table(
    {
        "days": Key(
            Listing(Whole(1, LONGEST_MARK)),
            "days before the end on which people are told; none means never",
            default=DEFAULT_MARKS,
        ),
        "channel": Key(
            Text(choices=tuple(ExpiryReminders.Channel.values)), "how they are told", "email"
        ),
        "groups_excluded": Key(
            Listing(Text(100)), "groups that are not told; groups inside them count", default=()
        ),
        "exclude_unregistered": Key(
            Flag(), "leave out people who have registered nothing", default=False
        ),
        "managers_summary": Key(
            Flag(), "tell managers once a week whose passwords end", default=False
        ),
        "texts": Key(TEXTS, "your own words, before the product's, by language", default={}),
    }
)
_PLAIN = ("channel", "exclude_unregistered", "managers_summary")


class ReminderWork:
    """Where the section stands it is the whole truth; without it what is there stays."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def validate(self) -> None:
        report = self.document.report
        given = self.document.data.get(NAME, {})
        days = given.get("days", ())
        if len(days) > MOST_MARKS:
            report.add((NAME, "days"), TOO_MANY_DAYS)
        for index, day in enumerate(days):
            if day is not None and day in days[:index]:
                report.add((NAME, "days", index), DAY_ONCE)
        rows = self.document.data.get("groups", ())
        known = {row["name"] for row in rows if row and "name" in row}
        known |= self.document.group_ids.keys()
        for index, name in enumerate(given.get("groups_excluded", ())):
            if name is not None and name not in known:
                report.add((NAME, "groups_excluded", index), NO_GROUP)

    def plan(self, plan: Plan) -> None:
        if not self.document.stands(NAME):
            return
        values = _stored(self.document.filled(NAME, REMINDERS), self.document.group_ids)
        row = ExpiryReminders.objects.first()
        if row is None:
            plan.create(NAME)
            new = ExpiryReminders(**values)
            plan.on_write(lambda: new.save(force_insert=True))
            return
        names = {str(pk): name for name, pk in self.document.group_ids.items()}
        changed = [name for name in REMINDERS.keys if _kept(row, name, names) != values[name]]
        for name in changed:
            before = _kept(row, name, names)
            plan.update(NAME, "", name, _shown(name, before, values[name], names))
            setattr(row, name, values[name])
        if changed:
            plan.on_write(lambda: row.save(update_fields=changed))


def _stored(values: dict[str, Any], groups: dict[str, UUID]) -> dict[str, Any]:
    """Column → value."""
    return {
        **{name: values[name] for name in _PLAIN},
        "days": sorted(values["days"], reverse=True),
        "groups_excluded": sorted({str(groups[name]) for name in values["groups_excluded"]}),
        "texts": {tag: text for tag, text in sorted(values["texts"].items()) if text},
    }


def _kept(row: ExpiryReminders, name: str, groups: dict[str, str]) -> Any:
    """A column's value; groups that are gone left out."""
    value = getattr(row, name)
    if name == "groups_excluded":
        return sorted(pk for pk in value if pk in groups)
    return value


def _shown(name: str, before: Any, after: Any, groups: dict[str, str]) -> str:
    if name == "texts":
        return HIDDEN
    if name == "groups_excluded":
        return shown(*(sorted(groups[pk] for pk in value) for value in (before, after)))
    return shown(before, after)


def export(out: dict[str, Any]) -> None:
    row = ExpiryReminders.objects.first()
    if row is None:
        return
    groups = {str(pk): name for pk, name in Group.objects.values_list("pk", "name")}
    found = {name: _kept(row, name, groups) for name in REMINDERS.keys}
    found["groups_excluded"] = sorted(groups[pk] for pk in found["groups_excluded"])
    out[NAME] = {name: value for name, value in found.items() if name != "texts" or value}


register(
    Section(
        name=NAME,
        keys={NAME: Key(REMINDERS, "telling people before their password ends")},
        open=ReminderWork,
        export=export,
    )
)
