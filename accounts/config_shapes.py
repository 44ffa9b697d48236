"""What a file may say about a person, and one person of a file as a value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenants.config.document import Document
from tenants.config.report import Path
from tenants.config.shapes import Flag, Key, Listing, Table, Text
from tenants.roles import ROLES

from .identifiers import canonical
from .models import ContactPoint, User

_Kind = ContactPoint.Kind
USERS, GUESTS = "users", "guests"
QUESTION = Table(
    {
        "question": Key(
            Text(200), "key of a predefined question, or the text of one of yours", required=True
        ),
        "answer": Key(Text(200, secret=True), "3 to 40 characters", required=True),
    }
)
_ROLE = Text(choices=tuple(sorted(ROLES)), listed="There is no such role.")
_COMMON = {
    "display_name": Key(Text(256), "the name people read"),
    "given_name": Key(Text(64), "given name; passwords must not hold it"),
    "surname": Key(Text(64), "surname; passwords must not hold it"),
    "enabled": Key(Flag(), "false keeps the person out", default=True),
    "licensed": Key(Flag(), "whether a licence is assigned", default=True),
    "roles": Key(Listing(_ROLE), "directory roles", default=()),
    "password": Key(Text(256, secret=True), "the password, instead of its hash"),
    "password_hash": Key(Text(128, secret=True), "an argon2 hash, instead of the password"),
    "source": Key(
        Text(choices=tuple(User.Source.values)), "where the password lives", default="cloud"
    ),
    "mobile_phone": Key(Text(40), "like +1 4255550101"),
    "office_phone": Key(Text(40), "like +1 4255550100x123"),
    "totp_secret": Key(Text(256, secret=True), "seed of the authenticator app, in base 32"),
    "questions": Key(Listing(QUESTION), "answered security questions", default=()),
    "language": Key(Text(12), "language of mails"),
    "manager": Key(Text(113), "user ID of the manager"),
}
_USER_KEYS: dict[str, Key] = {
    "id": Key(Text(113), "the user ID, name@domain", required=True),
    "kind": Key(
        Text(choices=tuple(User.Kind.values)), "member, or guest of no origin", default="member"
    ),
    "email": Key(Text(254), "the primary mailbox"),
    "alternate_email": Key(Text(254), "a mailbox outside the organisation"),
    **_COMMON,
}
USER = Table(_USER_KEYS)
GUEST = Table(
    {
        "id": Key(Text(113), "the user ID in this tenant", required=True),
        "email": Key(Text(254), "the mailbox the guest registered"),
        "origin": Key(
            Text(choices=tuple(filter(None, User.Origin.values))),
            "where the guest comes from",
            default="invitation",
        ),
        "home": Key(Text(63), "slug of the partner's tenant"),
        **_COMMON,
    }
)


def add_user_key(name: str, key: Key) -> None:
    """Lets an app above say more about a person in [[users]]. Its own section reads, writes and
    exports the key."""
    _USER_KEYS[name] = key


TABLES = {USERS: USER, GUESTS: GUEST}
CONTACTS: Mapping[str, Mapping[str, str]] = {
    USERS: {kind.value.removeprefix("primary_"): kind.value for kind in _Kind},
    GUESTS: {
        "email": _Kind.ALTERNATE_EMAIL.value,
        "mobile_phone": _Kind.MOBILE_PHONE.value,
        "office_phone": _Kind.OFFICE_PHONE.value,
    },
}
"""Section → key of the file → kind of contact."""
PROFILE: Mapping[str, str] = {
    "display_name": "display_name",
    "given_name": "given_name",
    "surname": "surname",
    "kind": "kind",
    "enabled": "is_active",
    "roles": "roles",
    "source": "source",
    "language": "language",
    "origin": "origin",
    "home": "home",
}
"""Key of the file → column of the person. Keys that a section lacks have one fixed value."""


@dataclass(frozen=True)
class Entry:
    """One person of a file. `given` holds the valid keys that stand there."""

    section: str
    index: int
    given: Mapping[str, Any]

    @property
    def user_id(self) -> str:
        return canonical(self.given.get("id", ""))

    def path(self, *parts: str | int) -> Path:
        return (self.section, self.index, *parts)

    @property
    def kind(self) -> str:
        """The word for this person in a plan."""
        return "guest" if self.section == GUESTS else "user"

    def profile(self) -> dict[str, Any]:
        """Key → wanted value of every column of the profile."""
        values = TABLES[self.section].filled(self.given)
        fixed = {"kind": "guest"} if self.section == GUESTS else {"origin": "", "home": ""}
        wanted = {key: {**values, **fixed}[key] for key in PROFILE}
        wanted["roles"] = sorted(set(wanted["roles"]))
        return wanted

    @property
    def licensed(self) -> bool:
        return bool(self.given.get("licensed", True))

    def contacts(self) -> dict[str, tuple[str, str]]:
        """Kind of contact → key and value, for those that stand in the file; "" removes one."""
        return {
            kind: (key, self.given[key])
            for key, kind in CONTACTS[self.section].items()
            if key in self.given
        }


def entries(document: Document) -> Iterator[Entry]:
    for section in (USERS, GUESTS):
        for index, given in enumerate(document.data.get(section, ())):
            if given is not None:
                yield Entry(section, index, given)
