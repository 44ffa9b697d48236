"""CSV pre-enrolment, the columns about directories: whose account is where.

An import adds accounts and never moves one: whoever has another account in the directory, and an
account that is somebody else's, are problems of their rows.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.imports.brought import Bringer, Overtaken, bring
from accounts.imports.columns import Column
from accounts.imports.formats import EnrolmentFile
from accounts.imports.plan import Brought
from accounts.imports.validation import MOST_ROWS_NAMED, CheckedRow, Problem
from accounts.models import User
from tenants import audit
from tenants.audit import Party
from tenants.invalid import Invalid

from .anchors import canonical_anchor
from .models import Connector, DirectoryLink
from .services.links import (
    LONGEST,
    clean_anchor,
    insert_links,
    keep_many_at,
    link_event,
    source_event,
)

DIRECTORY, ANCHOR, SOURCE = "directory", "directory_id", "source"
SOURCES = tuple(source.value for source in User.Source if source != User.Source.CLOUD)
COLUMNS = (
    Column(
        DIRECTORY, "brought", "", 100, "name of a directory in the administration", "Head office"
    ),
    Column(
        ANCHOR,
        "brought",
        "",
        LONGEST,
        "permanent id of the person's account there, such as its objectGUID",
        "6f0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b01",
    ),
    Column(
        SOURCE,
        "brought",
        "",
        max(map(len, SOURCES)),
        "where the password is compared at a sign-in: "
        "pass_through, password_hash_sync or federated",
        "pass_through",
    ),
)
MOST_NAMED = 10
PAIR = (
    "A directory and a permanent id belong together.",
    "Fill directory and directory_id, or leave both empty.",
)
BAD_ANCHOR = "This kind of directory has no account with such a permanent id."
CANARY = (
    "This account is kept for drills.",
    "Name another one for drills on the page of the directory first.",
)
BAD_SOURCE = "This is no place where a password can be compared."
GUEST = (
    "A guest's password is kept by the guest's own organisation.",
    "Leave the columns about directories empty.",
)
TAKEN = ("This account belongs to somebody else.", "Correct the permanent id.")
OTHER = (
    "The person has another account in this directory; an import does not change it.",
    "Correct the row, or change the account on the page of the person.",
)
CLOUD = (
    "This person's password is kept here, so no directory would be asked.",
    f"Write in the column source where it is compared from now on: {', '.join(SOURCES)}.",
)
NO_ACCOUNT = (
    "No directory account of this person is known.",
    "Fill directory and directory_id, too.",
)
Account = tuple[UUID, str]
"""Directory and permanent id."""


class AccountReading:
    """Directory accounts in one file."""

    def __init__(self, file: EnrolmentFile) -> None:
        self._connectors = {row.name: row for row in Connector.objects.order_by("name")}
        self._repeated: dict[Account, list[int]] = {}
        self._survey(file)

    def _survey(self, file: EnrolmentFile) -> None:
        first: dict[Account, int] = {}
        for row in file.rows():
            account = self._find_account(row.values)
            if account is not None and first.setdefault(account, row.number) != row.number:
                self._repeated.setdefault(account, [first[account]]).append(row.number)

    def _find_account(self, cells: Mapping[str, str]) -> Account | None:
        connector = self._connectors.get(cells.get(DIRECTORY, ""))
        if connector is None:
            return None
        try:
            return connector.pk, clean_anchor(connector, cells.get(ANCHOR, ""))
        except Invalid:
            return None

    def check(
        self, number: int, cells: Mapping[str, str]
    ) -> tuple[Mapping[str, str], Sequence[Problem]]:
        kept, problems = dict(cells), list[Problem]()
        source = cells.get(SOURCE, SOURCES[0])
        if source not in SOURCES:
            fix = f"There are: {', '.join(SOURCES)}."
            problems.append(Problem("bad_source", SOURCE, source, BAD_SOURCE, fix))
        if (DIRECTORY in cells) != (ANCHOR in cells):
            missing = ANCHOR if DIRECTORY in cells else DIRECTORY
            return kept, [*problems, Problem("half_account", missing, "", *PAIR)]
        if DIRECTORY in cells:
            problems += self._check_account(number, kept)
        return kept, problems

    def _check_account(self, number: int, kept: dict[str, str]) -> list[Problem]:
        connector, shown = self._connectors.get(kept[DIRECTORY]), kept[ANCHOR]
        if connector is None:
            message = "There is no directory of this name."
            return [Problem("no_directory", DIRECTORY, kept[DIRECTORY], message, self._named())]
        try:
            kept[ANCHOR] = clean_anchor(connector, shown)
        except Invalid as invalid:
            fix = invalid.problems[0].fix
            return [Problem("bad_account", ANCHOR, shown, BAD_ANCHOR, fix)]
        if kept[ANCHOR] == canonical_anchor(connector.kind, connector.canary):
            return [Problem("canary", ANCHOR, shown, *CANARY)]
        return self._told_of_others(number, (connector.pk, kept[ANCHOR]))

    def _named(self) -> str:
        if not self._connectors:
            return "Add it in the administration first: there is none yet."
        return f"There are: {', '.join(list(self._connectors)[:MOST_NAMED])}."

    def _told_of_others(self, number: int, account: Account) -> list[Problem]:
        others = [other for other in self._repeated.get(account, ()) if other != number]
        if not others:
            return []
        named = ", ".join(map(str, others[:MOST_ROWS_NAMED]))
        more = " and more" if len(others) > MOST_ROWS_NAMED else ""
        message = f"This account stands in row {named}{more}, too."
        fix = "An account belongs to one person: keep one of the rows."
        return [Problem("repeated_account", ANCHOR, account[1], message, fix)]

    def find(self, rows: Sequence[tuple[CheckedRow, User]]) -> Mapping[int, Brought]:
        wanted = {
            row.number: account
            for row, _ in rows
            if (account := self._find_account(row.wanted)) is not None
        }
        held = _held_by([user for _, user in rows])
        owners = _owners_of(set(wanted.values()))
        return {
            row.number: self._on_file(row, user, wanted.get(row.number), held, owners)
            for row, user in rows
        }

    def _on_file(
        self,
        row: CheckedRow,
        user: User,
        account: Account | None,
        held: Mapping[UUID, Mapping[UUID, str]],
        owners: Mapping[Account, UUID],
    ) -> Brought:
        own = held.get(user.pk, {})
        values = {SOURCE: user.source}
        if account is not None and account[0] in own:
            values |= {DIRECTORY: row.wanted[DIRECTORY], ANCHOR: own[account[0]]}
        found = _problem(row, user, account, own, owners)
        return Brought(values, () if found is None else (found,))

    def write(
        self, wanted: Sequence[tuple[User, Mapping[str, str]]], by: Party, run: UUID, now: datetime
    ) -> None:
        new = [
            (user, self._connectors[cells[DIRECTORY]], cells[ANCHOR])
            for user, cells in wanted
            if ANCHOR in cells
        ]
        moved = [(user, cells[SOURCE]) for user, cells in wanted if SOURCE in cells]
        links = [
            DirectoryLink(user=user, connector=connector, anchor=anchor)
            for user, connector, anchor in new
        ]
        try:
            with transaction.atomic():
                insert_links(links)
        except IntegrityError:
            raise Overtaken from None
        for source in sorted({source for _, source in moved}):
            keep_many_at((user for user, to in moved if to == source), source)
        audit.record_many(
            [link_event("added", user, connector, by, now, run=run) for user, connector, _ in new]
        )
        audit.record_many([source_event(user, by, now, run=run) for user, _ in moved])


def _held_by(people: Sequence[User]) -> dict[UUID, dict[UUID, str]]:
    """Person → directory → permanent id."""
    rows = DirectoryLink.objects.filter(user__in=people)
    held: dict[UUID, dict[UUID, str]] = {}
    for user, connector, anchor in rows.values_list("user_id", "connector_id", "anchor"):
        held.setdefault(user, {})[connector] = anchor
    return held


def _owners_of(accounts: set[Account]) -> dict[Account, UUID]:
    """Whose these accounts are already."""
    rows = DirectoryLink.objects.filter(
        connector__in={connector for connector, _ in accounts},
        anchor__in={anchor for _, anchor in accounts},
    )
    found = rows.values_list("connector_id", "anchor", "user_id")
    return {(connector, anchor): user for connector, anchor, user in found}


def _problem(
    row: CheckedRow,
    user: User,
    account: Account | None,
    own: Mapping[UUID, str],
    owners: Mapping[Account, UUID],
) -> Problem | None:
    if user.kind == User.Kind.GUEST:
        return Problem("guest_account", DIRECTORY if account else SOURCE, "", *GUEST)
    if account is None:
        return None if own else Problem("no_account", DIRECTORY, "", *NO_ACCOUNT)
    connector, anchor = account
    if owners.get(account, user.pk) != user.pk:
        return Problem("taken_account", ANCHOR, anchor, *TAKEN)
    if own.get(connector, anchor) != anchor:
        return Problem("other_account", ANCHOR, anchor, *OTHER)
    if connector not in own and user.source == User.Source.CLOUD and SOURCE not in row.wanted:
        return Problem("not_asked", SOURCE, user.source, *CLOUD)
    return None


bring(Bringer(columns=COLUMNS, permission="directories", open=AccountReading))
