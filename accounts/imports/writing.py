"""Writing plans: rows, events and notices of many people with few statements."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications.services import Recipient, notify_each
from tenants.audit import Event, Party, record_many

from ..config_rows import PeopleRows
from ..contacts import notice_addresses
from ..models import ContactPoint
from .brought import Readings
from .columns import COLUMNS, is_brought
from .plan import Change, RowPlan, Step, kind_of
from .present import Person

NOTICE = "contact_changed"


@dataclass(frozen=True)
class Planned:
    """A plan with the person it is about; nobody, where the row has a problem."""

    plan: RowPlan
    person: Person | None


def write_plans(
    chunk: Sequence[Planned],
    readings: Readings,
    *,
    actor: Party,
    run: UUID,
    language: str,
    now: datetime,
) -> None:
    """Carries out what these plans write, in the tenant and transaction in force. `language` is for
    people who chose none. Raises `brought.Overtaken`.

    New and changed contacts are unconfirmed until they are used once. Each person is told at the
    addresses that were on file before (security rules, R-16 and R-27).
    """
    work = [(each.plan, each.person) for each in chunk if each.person and each.plan.writes]
    if not work:
        return
    told = [notice for plan, person in work for notice in _notices(plan, person, language, now)]
    rows = PeopleRows(now)
    for plan, person in work:
        for change in plan.writes:
            _collect(rows, person, change)
    rows.write()
    readings.write([(person.user, plan.writes) for plan, person in work], actor, run, now)
    record_many([_event(plan, person, actor, run, now) for plan, person in work])
    notify_each(NOTICE, told, now=now, correlation_id=run)


def _collect(rows: PeopleRows, person: Person, change: Change) -> None:
    if is_brought(change.column):
        return
    column, user = COLUMNS[change.column], person.user
    if column.holds == "profile":
        setattr(user, column.field, change.after)
        rows.update_user(user, column.field)
        return
    kind = kind_of(change.column, guest=person.on_file.guest)
    held = person.contacts.get(kind)
    if held is None:
        rows.create_contact(ContactPoint(user_id=user.pk, kind=kind), change.after)
    else:
        rows.change_contact(held, change.after)


def _notices(
    plan: RowPlan, person: Person, language: str, now: datetime
) -> Iterator[tuple[Recipient, Mapping[str, str | bool]]]:
    changed = {
        COLUMNS[change.column].field: True
        for change in plan.writes
        if COLUMNS[change.column].holds == "contact"
    }
    if not changed:
        return
    user = person.user
    facts: dict[str, str | bool] = {"when": now.isoformat(), "name": user.display_name, **changed}
    for address in notice_addresses(user, person.contacts.values()):
        yield Recipient(address, user.language or language, user.display_name), facts


def _event(plan: RowPlan, person: Person, actor: Party, run: UUID, now: datetime) -> Event:
    """Names of columns only; what stood and stands there is nobody's business in a trail."""
    steps = {step: [each.column for each in plan.changes if each.step is step] for step in Step}
    return Event(
        event_type="contacts.imported",
        actor=actor,
        target=Party("user", person.user.pk, person.user.user_id),
        data={
            "added": steps[Step.ADD],
            "replaced": steps[Step.REPLACE],
            "kept": steps[Step.KEEP],
        },
        correlation_id=run,
        now=now,
    )
