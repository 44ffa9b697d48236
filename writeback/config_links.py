"""Checking and planning whose account is where: the key `directory` of a person in a file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from accounts.config_checks import in_chunks
from accounts.config_shapes import USERS, Entry, entries
from accounts.models import User
from tenants import audit
from tenants.audit import Event, Party
from tenants.config.document import Document, Plan, shown
from tenants.config.report import Path
from tenants.config.shapes import Key, Table, Text

from .anchors import anchor_problem, canonical_anchor
from .config_connectors import ConnectorPlan
from .models import Connector, DirectoryLink
from .services.links import insert_links

DIRECTORY = Table(
    {
        "connector": Key(Text(100, shortest=1), "name of the directory", required=True),
        "anchor": Key(
            Text(200, shortest=1), "permanent id of the account; objectGUID", required=True
        ),
    }
)
NO_CONNECTOR = "There is no such directory: add it under [[connectors]], or correct the name."
ONCE = "Name each directory once: a person has one account in it."
TAKEN = "This account is somebody else's: an account belongs to one person."
IS_CANARY = "This account is kept for drills: name another one in [[connectors]] first."
NOT_USED = "This person's password is kept here (source is cloud): the directory is not asked."


@dataclass(frozen=True)
class _Account:
    """Somebody's account: user ID, name of the directory, permanent id."""

    user_id: str
    connector: str
    anchor: str


class LinkPlan:
    """Where the key stands it is the whole truth about the person; where not, all is kept."""

    def __init__(self, document: Document, connectors: ConnectorPlan) -> None:
        self.document, self.connectors = document, connectors
        self.given = [
            entry
            for entry in entries(document)
            if entry.section == USERS and "directory" in entry.given and entry.user_id
        ]
        self.present: dict[str, dict[str, str]] = {}
        self._new: list[_Account] = []
        self._gone: list[_Account] = []

    def validate(self) -> None:
        if self.given:
            links = DirectoryLink.objects.values_list("user__user_id", "connector__name", "anchor")
            for user_id, connector, anchor in links.iterator(chunk_size=2000):
                self.present.setdefault(user_id, {})[connector] = anchor
        owners = self._owners_elsewhere()
        for entry in self.given:
            self._check(entry, owners)

    def _owners_elsewhere(self) -> dict[tuple[str, str], str]:
        """(connector, id) → whose it is, of those about whom the file says nothing."""
        spoken_of = {entry.user_id for entry in self.given}
        return {
            (connector, anchor): user_id
            for user_id, accounts in self.present.items()
            if user_id not in spoken_of
            for connector, anchor in accounts.items()
        }

    def _check(self, entry: Entry, owners: dict[tuple[str, str], str]) -> None:
        named: set[str] = set()
        for path, connector, anchor in self._rows(entry):
            if connector not in self.connectors.kinds:
                self._refuse((*path, "connector"), NO_CONNECTOR)
                continue
            if connector in named:
                self._refuse((*path, "connector"), ONCE)
            named.add(connector)
            owner = owners.setdefault((connector, anchor), entry.user_id)
            problem = self._problem(connector, anchor, is_own=owner == entry.user_id)
            if problem:
                self._refuse((*path, "anchor"), problem)

    def _problem(self, connector: str, anchor: str, *, is_own: bool) -> str:
        if self.connectors.canaries.get(connector) == anchor:
            return IS_CANARY
        return anchor_problem(self.connectors.kinds[connector], anchor) if is_own else TAKEN

    def _refuse(self, path: Path, fix: str) -> None:
        self.document.report.add(path, fix)

    def _rows(self, entry: Entry) -> Iterator[tuple[Path, str, str]]:
        """Place, connector and id, of what passed the checks of shape."""
        for index, row in enumerate(entry.given["directory"]):
            if row and "connector" in row and "anchor" in row:
                kind = self.connectors.kinds.get(row["connector"], "")
                anchor = canonical_anchor(kind, row["anchor"])
                yield entry.path("directory", index), row["connector"], anchor

    def plan(self, plan: Plan) -> None:
        standing = self._people_there()
        for entry in self.given:
            wanted = {connector: anchor for _, connector, anchor in self._rows(entry)}
            before = self.present.get(entry.user_id, {})
            if wanted and entry.given.get("source", "cloud") == User.Source.CLOUD:
                plan.warn(entry.path("directory"), NOT_USED)
            if wanted == before:
                continue
            if entry.user_id in standing:
                words = shown(_words(before), _words(wanted))
                plan.update(entry.kind, entry.user_id, "directory", words)
            self._new += _accounts(entry.user_id, wanted.items() - before.items())
            self._gone += _accounts(entry.user_id, before.items() - wanted.items())
        if self._new or self._gone:
            plan.on_write(self._write)

    def _people_there(self) -> set[str]:
        found: set[str] = set()
        for chunk in in_chunks(entry.user_id for entry in self.given):
            found.update(User.objects.filter(user_id__in=chunk).values_list("user_id", flat=True))
        return found

    def _write(self) -> None:
        """After the people and the directories of the file."""
        people: dict[str, UUID] = {}
        for chunk in in_chunks({row.user_id for row in [*self._new, *self._gone]}):
            rows = User.objects.filter(user_id__in=chunk)
            people.update(rows.values_list("user_id", "pk"))
        connectors = dict(Connector.objects.values_list("name", "pk"))
        self._remove({(people[row.user_id], connectors[row.connector]) for row in self._gone})
        links = [
            DirectoryLink(
                user_id=people[row.user_id],
                connector_id=connectors[row.connector],
                anchor=row.anchor,
            )
            for row in self._new
        ]
        insert_links(links)
        audit.record_many([*self._events(people)])

    @staticmethod
    def _remove(gone: set[tuple[UUID, UUID]]) -> None:
        for chunk in in_chunks({str(user) for user, _ in gone}):
            rows = DirectoryLink.objects.filter(user_id__in=chunk)
            found = [
                str(pk)
                for pk, user, connector in rows.values_list("pk", "user_id", "connector_id")
                if (user, connector) in gone
            ]
            DirectoryLink.objects.filter(pk__in=found).delete()

    def _events(self, people: Mapping[str, UUID]) -> Iterator[Event]:
        added = {(row.user_id, row.connector) for row in self._new}
        gone = {(row.user_id, row.connector) for row in self._gone}
        for user_id, connector in sorted(added | gone):
            both = (user_id, connector) in added & gone
            change = "changed" if both else "added" if (user_id, connector) in added else "removed"
            yield Event(
                event_type="link.changed",
                actor=self.document.actor,
                target=Party("user", people[user_id], user_id),
                data={"connector": connector, "change": change},
                now=self.document.now,
            )


def _accounts(user_id: str, pairs: Iterable[tuple[str, str]]) -> list[_Account]:
    return [_Account(user_id, connector, anchor) for connector, anchor in sorted(pairs)]


def _words(accounts: Mapping[str, str]) -> list[str]:
    return [f"{connector} {anchor}" for connector, anchor in sorted(accounts.items())]
