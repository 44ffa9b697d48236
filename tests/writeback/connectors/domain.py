"""A domain that says what a test wants, for the connector of Active Directory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.lab.scripted_ldap import Asked, Said
from writeback.connectors.active_directory import ActiveDirectory
from writeback.connectors.base import (
    Entry,
)

BASE = "DC=corp,DC=example"
ANCHOR = "f79fd50a-3777-4039-ab10-baa55ae57946"
PLACE = f"CN=ada,OU=Staff,{BASE}"
HINTS, OLD_HINTS = "1.2.840.113556.1.4.2239", "1.2.840.113556.1.4.2066"
ADA = Entry(ANCHOR, PLACE, "ada@corp")
LOCKED = Entry(ANCHOR, PLACE, "ada@corp", locked=True)
NEW = "Velvet-Kettle-93"
NO_UNLOCK = Said(50, "00002098: SecErr: problem 4003 (INSUFF_ACCESS_RIGHTS), data 0")
REJECTED = Said(53, "0000052D: SvcErr: problem 5003 (WILL_NOT_PERFORM), data 0")
REFUSED_BIND = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {}, v2"


@dataclass
class Domain:
    """What the server answers. changes: to modifications, in their order, then success; search: to
    all reading but of itself; entries: by the place that is read."""

    controls: Sequence[str] = (HINTS, OLD_HINTS)
    bind: Said = field(default_factory=Said)
    changes: list[Said] = field(default_factory=list)
    search: Said | None = None
    entries: dict[str, dict[str, list[bytes]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = {
            "defaultNamingContext": [BASE.encode()],
            "supportedControl": [control.encode() for control in self.controls],
            "tokenGroups": [b"\1\1\0\0\0\0\0\5\x0b\0\0\0"],
        }
        self.entries = {"": own, BASE: {"minPwdLength": [b"10"]}, **self.entries}

    def __call__(self, asked: Asked) -> Said:
        if asked.kind == "bindRequest":
            return self.bind
        if asked.kind == "modifyRequest":
            return self.changes.pop(0) if self.changes else Said()
        if self.search is not None and asked.base:
            return self.search
        found = self.entries.get(asked.base)
        return Said(entries=[(asked.base, found)]) if found is not None else Said(32, "00002030: ")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


MakeDirectory = Callable[..., ActiveDirectory]
