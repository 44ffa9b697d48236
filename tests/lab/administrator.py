"""The domain's administrator: makes people for one test, and looks at what is really there.

Nothing here goes through the product, so that what it finds is no opinion of the product's.
"""

import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import ldap3

from tests.lab.seeds import (
    ADMINISTRATOR_PASSWORD,
    BASE,
    DOMAIN,
    FIRST_PASSWORD,
    Mark,
    Seed,
    Unit,
)

DISABLED, NORMAL = "514", "512"
LONG_AGO = "132223104000000000"
THRESHOLD = 3
STAMP, UNICODE_PWD = 48, 0x9005A
_REFUSED = re.compile(r"data ([0-9a-f]+),")


class Administrator:
    """Signed in to one controller, for as long as a test needs it."""

    def __init__(self, address: str, port: int, ca_file: Path) -> None:
        self._where = (address, port, ca_file)
        self._numbers = count(1)
        self._run = uuid4().hex[:6]
        self._link = self._opened(f"Administrator@{DOMAIN}", ADMINISTRATOR_PASSWORD)
        assert self._link.bind(), self._link.result

    def close(self) -> None:
        _end(self._link)

    def add_person(
        self,
        *marks: Mark,
        unit: Unit = "Staff",
        password: str = FIRST_PASSWORD,
        name: str = "",
    ) -> Seed:
        """Somebody new whom no other test knows."""
        number = f"{self._run}.{next(self._numbers)}"
        seed = Seed(name or f"p.{number}", unit, password, marks)
        attributes: dict[str, Any] = {
            "objectClass": "user",
            "sAMAccountName": f"p.{number}",
            "userPrincipalName": f"p.{number}@{DOMAIN}",
            "unicodePwd": f'"{password}"'.encode("utf-16-le"),
            "userAccountControl": DISABLED if "disabled" in marks else NORMAL,
        }
        if "protected" in marks:
            attributes["adminCount"] = "1"
        if "account_expired" in marks:
            attributes["accountExpires"] = LONG_AGO
        place = seed.place if not name else f"CN={escaped(name)},OU={unit},{BASE}"
        assert self._link.add(place, attributes=attributes), self._link.result
        if "must_change" in marks:
            self.change(place, "pwdLastSet", "0")
        return Seed(f"p.{number}", unit, password, marks) if name else seed

    def lock(self, seed: Seed) -> None:
        """By wrong passwords, as everybody does it."""
        for _ in range(THRESHOLD + 1):
            self.sign_in(seed.login, "not-their-password")
        assert self.sign_in(seed.login, seed.password) == "775"

    def change(self, place: str, attribute: str, *values: str | bytes) -> None:
        changed = self._link.modify(place, {attribute: [(ldap3.MODIFY_REPLACE, list(values))]})
        assert changed, self._link.result

    def add_policy(self, name: str, seed: Seed, **values: str) -> str:
        """A password policy of this person's own."""
        place = f"CN={name},CN=Password Settings Container,CN=System,{BASE}"
        attributes = {"objectClass": "msDS-PasswordSettings", **POLICY, **values}
        attributes = {key.replace("_", "-"): value for key, value in attributes.items()}
        attributes["msDS-PSOAppliesTo"] = self.place(seed)
        assert self._link.add(place, attributes=attributes), self._link.result
        return place

    def remove(self, place: str) -> None:
        assert self._link.delete(place), self._link.result

    def place(self, seed: Seed) -> str:
        return str(self._found(seed, ["cn"])["dn"])

    def anchor(self, seed: Seed) -> str:
        """The permanent id as text."""
        return str(UUID(bytes_le=self.values(seed, "objectGUID")[0]))

    def values(self, seed: Seed, attribute: str) -> Sequence[bytes]:
        found: Sequence[bytes] = self._found(seed, [attribute])["raw_attributes"][attribute]
        return found

    def last_set(self, seed: Seed) -> int:
        """When the password was set, in the directory's own counting."""
        return int(self.values(seed, "pwdLastSet")[0])

    def version(self, seed: Seed) -> int:
        """How often the directory has set this password, by its own stamps of replication."""
        [blob] = self.values(seed, "replPropertyMetaData")
        for number in range(int.from_bytes(blob[8:12], "little")):
            stamp = blob[16 + number * STAMP : 16 + (number + 1) * STAMP]
            if int.from_bytes(stamp[:4], "little") == UNICODE_PWD:
                return int.from_bytes(stamp[4:8], "little")
        raise LookupError(seed.name)

    def sign_in(self, login: str, password: str | bytes) -> str:
        """ "ok", or the code that the controller refuses with. Text goes as its UTF-8."""
        exact = password.encode() if isinstance(password, str) else password
        link = self._opened(login, exact)
        try:
            if link.bind():
                return "ok"
            found = _REFUSED.search(link.result["message"])
            return found[1] if found else str(link.result["result"])
        finally:
            _end(link)

    def _found(self, seed: Seed, attributes: list[str]) -> Any:
        self._link.search(BASE, f"(sAMAccountName={seed.name})", attributes=attributes)
        (found,) = [one for one in self._link.response if one["type"] == "searchResEntry"]
        return found

    def _opened(self, login: str, password: str | bytes) -> Any:
        address, port, ca_file = self._where
        server = ldap3.Server(
            address,
            port,
            use_ssl=True,
            get_info=ldap3.NONE,
            tls=_Verified(ssl.create_default_context(cafile=ca_file)),
            connect_timeout=10,
        )
        link = ldap3.Connection(
            server, login, password, auto_referrals=False, receive_timeout=30, check_names=False
        )
        link.open(read_server_info=False)
        return link


POLICY = {
    "msDS_PasswordSettingsPrecedence": "10",
    "msDS_PasswordReversibleEncryptionEnabled": "FALSE",
    "msDS_PasswordHistoryLength": "7",
    "msDS_PasswordComplexityEnabled": "TRUE",
    "msDS_MinimumPasswordLength": "16",
    "msDS_MinimumPasswordAge": "0",
    "msDS_MaximumPasswordAge": str(-90 * 86_400 * 10_000_000),
    "msDS_LockoutThreshold": "4",
    "msDS_LockoutObservationWindow": str(-10 * 60 * 10_000_000),
    "msDS_LockoutDuration": str(-20 * 60 * 10_000_000),
}


def escaped(name: str) -> str:
    """As a value within a distinguished name (RFC 4514)."""
    return "".join(f"\\{char}" if char in ',+"\\<>;=#' else char for char in name)


def _end(link: Any) -> None:
    """Says goodbye, and closes what a server left that did not wait for it."""
    wire = link.socket
    try:
        with suppress(ldap3.core.exceptions.LDAPException):
            link.unbind()
    finally:
        if wire is not None:
            wire.close()


class _Verified(ldap3.Tls):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )
