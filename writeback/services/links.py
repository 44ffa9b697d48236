"""Where a person's password is kept: their accounts in the organisation's directories.

Who says which account is whose decides whose password a reset changes, so every change has its line
in the trail, and the row a keyed hash (`DirectoryLink.save`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import party_of
from tenants import audit
from tenants.audit import Event, Party
from tenants.invalid import refusal
from tenants.scoping import claim_for_current_tenant
from tenants.together import Changes

from ..models import Connector, DirectoryLink, WritebackJob
from ..protocol import Passwords
from ..sealing import link_seal
from .orders import Order, links_of, place

LONGEST = 200
BATCH = 500
NOT_AN_ANCHOR = "Write the permanent id: 1 to 200 characters, without a space at either end."
NOT_A_UUID = (
    "A permanent id of this kind of directory looks like 6f0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b01."
)
TWICE = "The person has an account in this directory already. Change that one."
TAKEN = "This permanent id belongs to somebody else here."
NOBODY_LOOKS = "No directory account of this person is known."
_BY_UUID = frozenset(
    {Connector.Kind.ACTIVE_DIRECTORY, Connector.Kind.OPENLDAP, Connector.Kind.ENTRA_ID}
)


def add_link(
    user: User, connector: Connector, anchor: str, source: str, *, by: Party, now: datetime
) -> DirectoryLink:
    """From now on the person's password is kept in this directory. source: of `User.Source`, where
    it is compared at a sign-in; not the cloud. Raises Invalid."""
    row = _locked(user)
    clean = clean_anchor(connector, anchor)
    if DirectoryLink.objects.filter(user=row, connector=connector).exists():
        raise refusal("connector", "twice", TWICE)
    link = DirectoryLink(user=row, connector=connector, anchor=clean)
    _save(link)
    _keep_at(row, source, by, now)
    _record("added", row, connector, by, now)
    return link


def change_link(link: DirectoryLink, anchor: str, *, by: Party, now: datetime) -> None:
    """The same person, another account in the same directory. What was found of the old one is
    forgotten. Raises Invalid."""
    row = DirectoryLink.objects.select_related("connector", "user").get(pk=link.pk)
    clean = clean_anchor(row.connector, anchor)
    if clean == row.anchor:
        return
    row.anchor = clean
    row.described = row.described_at = row.password_ends = None
    _save(row)
    _record("changed", row.user, row.connector, by, now)


def remove_link(link: DirectoryLink, *, to_cloud: bool, by: Party, now: datetime) -> None:
    """to_cloud: whether the password is kept here from now on, where it was the last account."""
    row = DirectoryLink.objects.select_related("connector", "user").get(pk=link.pk)
    user = _locked(row.user)
    row.delete()
    if to_cloud and not DirectoryLink.objects.filter(user=user).exists():
        _keep_at(user, User.Source.CLOUD, by, now)
    _record("removed", user, row.connector, by, now)


def look_again(user: User, now: datetime) -> int:
    """Asks the directories for rules and marks of the person; how many are asked. Raises
    Invalid."""
    links = links_of(user)
    if not links:
        raise refusal("", "nobody", NOBODY_LOOKS)
    order = Order(
        purpose=WritebackJob.Purpose.DESCRIBE,
        operation="describe",
        origin=uuid4(),
        user=user,
        passwords=Passwords(),
    )
    changes = Changes()
    jobs = place(order, links, now, changes)
    changes.write()
    return len(jobs)


def _locked(user: User) -> User:
    row: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return row


def insert_links(links: Sequence[DirectoryLink]) -> None:
    """Many at once, each with its keyed hash, which `bulk_create` leaves to us."""
    for link in links:
        claim_for_current_tenant(link)
        link.seal = link_seal(link)
    DirectoryLink.objects.bulk_create(links, batch_size=BATCH)


def keep_many_at(people: Iterable[User], source: str) -> None:
    """Where the passwords of these people are compared from now on; the caller records it."""
    User.objects.filter(pk__in=[user.pk for user in people]).update(source=source)


def clean_anchor(connector: Connector, anchor: str) -> str:
    """The permanent id in the form in which it is kept. Raises Invalid."""
    text = anchor.strip()
    if not 0 < len(text) <= LONGEST or not text.isprintable():
        raise refusal("anchor", "shape", NOT_AN_ANCHOR)
    if connector.kind not in _BY_UUID:
        return text
    try:
        return str(UUID(text))
    except ValueError:
        raise refusal("anchor", "shape", NOT_A_UUID) from None


def _save(link: DirectoryLink) -> None:
    try:
        with transaction.atomic():
            link.save()
    except IntegrityError:
        raise refusal("anchor", "taken", TAKEN) from None


def _keep_at(user: User, source: str, by: Party, now: datetime) -> None:
    if user.source == source:
        return
    user.source = source
    user.save(update_fields=["source"])
    audit.record_many([source_event(user, by, now)])


def _record(change: str, user: User, connector: Connector, by: Party, now: datetime) -> None:
    audit.record_many([link_event(change, user, connector, by, now)])


def link_event(
    change: str,
    user: User,
    connector: Connector,
    by: Party,
    now: datetime,
    *,
    run: UUID | None = None,
) -> Event:
    """The line of a link that was added, changed or removed. run: the import it came with."""
    return Event(
        event_type="link.changed",
        actor=by,
        target=party_of(user),
        data={"connector": connector.name, "change": change},
        correlation_id=run,
        now=now,
    )


def source_event(user: User, by: Party, now: datetime, *, run: UUID | None = None) -> Event:
    return Event(
        event_type="user.changed",
        actor=by,
        target=party_of(user),
        data={"fields": ["source"]},
        correlation_id=run,
        now=now,
    )
