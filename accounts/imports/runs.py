"""Imports from the first look at a file to its end; the administration site and the command call
nothing else. Everything here works for the tenant in force, in the caller's transaction."""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal

from django.conf import settings
from django.db import transaction

from tenants.audit import Party, record
from tenants.config.tenant_section import is_language, language_fix
from tenants.context import tenant_context
from tenants.keys import tenant_keys
from tenants.lookup import tenants_with_imports
from tenants.models import Domain, Tenant

from ..contact_checks import contact_problem
from ..models import ImportRun, User
from .brought import Overtaken, Readings
from .formats import EnrolmentFile, FileRefused, open_file
from .neutral import neutralised
from .plan import NOTHING, Brought, Options, RowPlan, plan_row
from .present import Person, read_people
from .report import Report
from .summary import Summary, differences
from .validation import CheckedRow, Rules, check_row
from .writing import Planned, write_plans

CHUNK = 1000
KEPT_FOR = timedelta(hours=1)
MOST_ONLINE = 10_000
"""Rows of a file that is checked and confirmed in requests; the command takes more."""
MOST_OPEN = 5
"""Checked files that a tenant keeps at once; a further one ends the oldest."""
ENROLMENT = "native"
"""The format of the files here; other files on their way in have another."""
State, Mode = ImportRun.State, ImportRun.Mode
SEALED = ("sealed_file", "sealed_summary", "sealed_report")
_EMPTIED: dict[str, Any] = {**dict.fromkeys(SEALED), "keeps_data": False}


@dataclass(frozen=True)
class Importer:
    """Who imports. `administrators`: whether they may change people with administrators' roles;
    `denied`: the columns that they may not fill."""

    party: Party
    user: User | None
    administrators: bool
    denied: frozenset[str]


@dataclass(frozen=True)
class Declared:
    """How an import is to go: read as which format, what with rows that are wrong, and whether
    confirmed contacts are replaced, too."""

    format: str = "auto"
    mode: str = Mode.ALL.value
    replace_confirmed: bool = False

    def options(self, who: Importer) -> Options:
        return Options(self.replace_confirmed, who.administrators, who.denied)


@dataclass(frozen=True)
class Looked:
    """What a file comes to, and the report of what would not be imported."""

    summary: Summary
    report: Report = field(repr=False)


@dataclass(frozen=True)
class Written(Looked):
    """What was done. `why` is empty when it was; else nothing was written: `problems`, or
    `changed` when what is on file is not what the summary before was made from."""

    why: Literal["", "problems", "changed"] = ""


@dataclass(frozen=True)
class Confirmed:
    """What became of a confirmation: `applied`, or nothing was: `problems`, `changed` with what
    differs, or `not_now` for a run that is over."""

    run: ImportRun
    kind: Literal["applied", "problems", "changed", "not_now"]
    differs: tuple[str, ...] = ()


class _NothingWritten(Exception):
    """Takes back what was written so far."""


def look(file: EnrolmentFile, options: Options) -> Looked:
    """Plans every row and writes nothing."""
    summary, report = Summary(), Report(file.headings)
    for chunk in _planned(file, options, Readings.of(file), lock=False):
        for each in chunk:
            summary.add(each.plan)
            report.add(each.plan)
    return Looked(summary.close(), report)


def write(
    file: EnrolmentFile,
    declared: Declared,
    who: Importer,
    *,
    run: uuid.UUID,
    now: datetime,
    expected: str = "",
) -> Written:
    """Plans every row on what is on file now and writes it chunk by chunk; all of it or nothing.

    `expected` is the digest of what was shown before; when the plan is another one by now, nothing
    is written. With mode `all` one problem keeps everything from being written.
    """
    # Imports and policy files of a tenant happen one after the other.
    tenant = Tenant.objects.select_for_update(no_key=True).get()
    language = next(iter(tenant.languages), settings.LANGUAGE_CODE)
    summary, report, readings = Summary(), Report(file.headings), Readings.of(file)
    options = declared.options(who)
    why: Literal["", "problems", "changed"] = ""
    try:
        with transaction.atomic():
            for chunk in _planned(file, options, readings, lock=True):
                for each in chunk:
                    summary.add(each.plan)
                    report.add(each.plan)
                if declared.mode == Mode.ROWS or not summary.problems:
                    write_plans(
                        chunk, readings, actor=who.party, run=run, language=language, now=now
                    )
            if expected and summary.close().digest != expected:
                why = "changed"
            elif declared.mode == Mode.ALL and summary.problems:
                why = "problems"
            if why:
                raise _NothingWritten
    except _NothingWritten:
        return Written(summary.close(), report, why)
    except Overtaken:
        looked = look(file, options)
        return Written(looked.summary, looked.report, "changed")
    return Written(summary.close(), report)


def check(content: bytes, name: str, declared: Declared, who: Importer, now: datetime) -> ImportRun:
    """Looks at a file and keeps it, sealed, until it is confirmed or discarded. Raises
    FileRefused."""
    file = open_file(content, declared.format)
    if file.count > MOST_ONLINE:
        raise FileRefused(
            "too_many_rows",
            f"The file has {file.count:,} rows; here at most {MOST_ONLINE:,} are imported at once. "
            "Split it, or ask the operator to import it with the command import_enrolment.",
        )
    _make_room(now)
    looked = look(file, declared.options(who))
    run = _new_run(content, name, declared, who, now)
    run.counts = _counts(looked.summary)
    run.seal("file", content)
    run.seal("summary", looked.summary.as_json())
    run.seal("report", looked.report.content())
    run.save(force_insert=True)
    return run


def confirm(run_id: uuid.UUID, mode: str, who: Importer, now: datetime) -> Confirmed:
    """Applies a run that was checked, once, however many confirm it. Raises ImportRun.DoesNotExist
    for another tenant's run like for one that never was."""
    run: ImportRun = ImportRun.objects.select_for_update().get(pk=run_id, format=ENROLMENT)
    content, shown = run.find("file"), summary_of(run)
    if not is_open(run, now) or content is None or shown is None:
        return Confirmed(run, "not_now")
    declared = Declared(run.format, mode, run.replace_confirmed)
    file = open_file(content.reveal(), run.format)
    written = write(file, declared, who, run=run.pk, now=now, expected=shown.digest)
    run.seal("summary", written.summary.as_json())
    run.seal("report", written.report.content())
    before, run.counts = run.counts, _counts(written.summary)
    if written.why:
        run.save(update_fields=["counts", "sealed_summary", "sealed_report"])
        return Confirmed(run, written.why, tuple(differences(before, run.counts)))
    run.mode, run.state, run.finished_at = mode, State.APPLIED, now
    run.forget("file")
    run.save()
    _record_applied(run, who.party, now)
    return Confirmed(run, "applied")


def discard(run_id: uuid.UUID, who: Importer, now: datetime) -> ImportRun:
    """Ends a run that was only checked, and removes its file. Raises ImportRun.DoesNotExist."""
    rows = ImportRun.objects.defer(*SEALED).select_for_update()
    run: ImportRun = rows.get(pk=run_id, format=ENROLMENT)
    if run.state == State.CHECKED:
        ImportRun.objects.filter(pk=run.pk).update(**_ended(State.DISCARDED, now))
        data = {"rows": run.counts.get("rows", 0)}
        record("import.discarded", actor=who.party, data=data, correlation_id=run.pk, now=now)
    return run


def import_file(
    content: bytes, name: str, declared: Declared, who: Importer, now: datetime
) -> Written:
    """The whole way at once, as the command goes it. Leaves a run only where it wrote something.
    Raises FileRefused."""
    run = _new_run(content, name, declared, who, now)
    written = write(open_file(content, declared.format), declared, who, run=run.pk, now=now)
    if not written.why and written.summary.to_write:
        run.counts, run.state, run.finished_at = _counts(written.summary), State.APPLIED, now
        run.save(force_insert=True)
        _record_applied(run, who.party, now)
    return written


def expire(now: datetime) -> int:
    """Removes what runs older than an hour still keep, in every tenant; how many runs there were.
    Needs no tenant in force."""
    done = 0
    for tenant in tenants_with_imports(now - KEPT_FOR):
        with tenant_context(tenant):
            due = ImportRun.objects.filter(keeps_data=True, created_at__lte=now - KEPT_FOR)
            done += due.filter(state=State.CHECKED).update(**_ended(State.EXPIRED, now))
            done += due.exclude(state=State.CHECKED).update(**_EMPTIED)
    return done


def is_open(run: ImportRun, now: datetime) -> bool:
    """Whether a run still waits to be confirmed."""
    return bool(run.state == State.CHECKED and now < run.created_at + KEPT_FOR)


def summary_of(run: ImportRun) -> Summary | None:
    kept = run.find("summary")
    return None if kept is None else Summary.from_json(kept.reveal().decode())


def find_earlier(run: ImportRun) -> ImportRun | None:
    """The last time this same file was applied."""
    rows = ImportRun.objects.filter(file_key=run.file_key, state=State.APPLIED)
    return rows.exclude(pk=run.pk).order_by("-created_at").only("finished_at", "tenant").first()


def _ended(state: str, now: datetime) -> dict[str, Any]:
    return {**_EMPTIED, "state": state, "finished_at": now}


def _make_room(now: datetime) -> None:
    waiting = ImportRun.objects.filter(state=State.CHECKED)
    kept = waiting.order_by("-created_at", "-id").values_list("pk", flat=True)[: MOST_OPEN - 1]
    waiting.exclude(pk__in=list(kept)).update(**_ended(State.EXPIRED, now))


def _new_run(
    content: bytes, name: str, declared: Declared, who: Importer, now: datetime
) -> ImportRun:
    shown = "".join(sign for sign in name if sign.isprintable())
    return ImportRun(
        actor=who.user,
        actor_label=who.party.label[:120],
        file_name=neutralised(shown.replace("\\", "/").rpartition("/")[2])[:120] or "file.csv",
        file_key=tenant_keys().mac("import file", hashlib.sha256(content).hexdigest()),
        format=ENROLMENT,
        mode=declared.mode,
        replace_confirmed=declared.replace_confirmed,
        created_at=now,
    )


def _counts(summary: Summary) -> dict[str, int]:
    return {"rows": summary.rows, **summary.counts, "contacts_kept": summary.contacts_kept}


def _record_applied(run: ImportRun, actor: Party, now: datetime) -> None:
    declared = {
        "mode": str(run.mode),
        "replace_confirmed": run.replace_confirmed,
        "format": run.format,
    }
    data = {**run.counts, **declared}
    record("import.applied", actor=actor, data=data, correlation_id=run.pk, now=now)


def _planned(
    file: EnrolmentFile, options: Options, readings: Readings, *, lock: bool
) -> Iterator[list[Planned]]:
    """Plans, a chunk of rows at a time. With `lock` the people of rows that write something are
    locked and planned once more, so that nothing changes between reading and writing."""
    rules = _rules(file, readings)
    rows = file.rows()
    while chunk := list(islice(rows, CHUNK)):
        checked = [check_row(row, rules) for row in chunk]
        planned = _plans(checked, options, readings, lock=False)
        if lock and any(each.plan.writes for each in planned):
            places = [at for at, each in enumerate(planned) if each.plan.writes]
            again = _plans([checked[at] for at in places], options, readings, lock=True)
            for at, each in zip(places, again, strict=True):
                planned[at] = each
        yield planned


def _plans(
    checked: list[CheckedRow], options: Options, readings: Readings, *, lock: bool
) -> list[Planned]:
    people = read_people({row.user_id for row in checked if row.user_id}, lock=lock)
    found = [(row, people.get(row.user_id)) for row in checked]
    brought = readings.find([(row, person.user) for row, person in found if person])
    return [
        Planned(_plan(row, person, options, brought.get(row.number, NOTHING)), person)
        for row, person in found
    ]


def _plan(row: CheckedRow, person: Person | None, options: Options, brought: Brought) -> RowPlan:
    return plan_row(row, person.on_file if person else None, options, brought)


def _rules(file: EnrolmentFile, readings: Readings) -> Rules:
    return Rules(
        domains=frozenset(Domain.objects.values_list("name", flat=True)),
        repeated=file.repeated,
        contact_problem=contact_problem,
        language_problem=lambda tag: None if is_language(tag) else language_fix(),
        brought=readings.check,
    )


__all__ = [
    "SEALED",
    "Confirmed",
    "Declared",
    "FileRefused",
    "Importer",
    "Looked",
    "Written",
    "check",
    "confirm",
    "discard",
    "expire",
    "find_earlier",
    "import_file",
    "is_open",
    "look",
    "open_file",
    "summary_of",
    "write",
]
