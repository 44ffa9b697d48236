"""One LDAP connection whose other end is proved and whose every wait ends.

`ldap3` stands behind this module and nowhere else. What a directory says to a request is a return
value (`Answer`), never an exception. `ldap3`'s own log shows requests whole, so it stays off.
"""

import ipaddress
import re
import select
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import ldap3

from .base import Trouble, Unanswered, Unreachable
from .ldap_tls import PlainSocket, Tls, Transport
from .settings import is_sendable

LDAPS: Final = 636
LDAP: Final = 389
PAGING: Final = "1.2.840.113556.1.4.319"
_START_TLS: Final = "1.3.6.1.4.1.1466.20037"

Scope = Literal["BASE", "LEVEL", "SUBTREE"]
Edit = Literal["add", "delete", "replace"]
Changes = Mapping[str, Sequence[tuple[Edit, Sequence[bytes]]]]
"""By attribute, in the order in which the directory shall do them."""
Control = tuple[str, bool, bytes | None]
"""Object identifier, whether it is critical, its encoded value."""

_HOST: Final = re.compile(r"[0-9A-Za-z]([0-9A-Za-z._-]{0,251}[0-9A-Za-z])?", re.ASCII)
_EDITS: Final = {
    "add": ldap3.MODIFY_ADD,
    "delete": ldap3.MODIFY_DELETE,
    "replace": ldap3.MODIFY_REPLACE,
}


@dataclass(frozen=True)
class Server:
    """One server of a directory. host: as its certificate names it, a name or an address and
    nothing else: `ldap3` would take a scheme in it for the wish to go without TLS."""

    host: str
    port: int = LDAPS

    def __post_init__(self) -> None:
        if not (_HOST.fullmatch(self.host) or _is_ipv6(self.host)) or not 0 < self.port < 65536:
            raise ValueError(f"{self.host!r}, {self.port} is no server")

    @property
    def name(self) -> str:
        return self.host if self.port == LDAPS else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Found:
    """One entry. attributes: raw values, by names in lower case."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def first(self, name: str) -> bytes | None:
        values = self.attributes.get(name.lower(), ())
        return values[0] if values else None

    def text(self, name: str) -> str:
        """The first value, "" where there is none. Bytes that are no UTF-8 are replaced."""
        return (self.first(name) or b"").decode(errors="replace")

    def number(self, name: str) -> int | None:
        """The first value as a whole number, nothing where it is none."""
        try:
            return int(self.first(name) or b"")
        except ValueError:
            return None


@dataclass(frozen=True)
class Answer:
    """What the server said. code: the LDAP result; message: its diagnostic message; controls: its
    response controls' values, which `ldap3` decodes for a few and leaves as bytes for the others;
    value: of an extended response."""

    code: int
    message: str = ""
    entries: tuple[Found, ...] = ()
    controls: Mapping[str, Any] = field(default_factory=dict)
    value: bytes | None = field(default=None, repr=False)

    @property
    def cookie(self) -> bytes:
        """Where a paged search goes on; empty at its end."""
        return bytes((self.controls.get(PAGING) or {}).get("cookie") or b"")


def equals(attribute: str, value: bytes) -> str:
    """A filter on this value, every byte of which is escaped, so that none is syntax."""
    return f"({attribute}={''.join(f'{chr(92)}{byte:02x}' for byte in value)})"


class LdapConnection:
    """A connection over verified TLS. Reading raises Unreachable when there is no answer; changing
    raises Unanswered, or Unreachable when not a byte of the change left."""

    def __init__(self, link: Any, server: Server, receive_timeout: float) -> None:
        self._link = link
        self._receive_timeout = receive_timeout
        self.controller = server.name

    def bind(self, name: str, password: str, controls: Sequence[Control] = ()) -> Answer:
        """A simple bind. Raises ValueError without a name or a password: a directory takes those
        for anonymous and says yes (RFC 4513, 5.1.2)."""
        if not name or not is_sendable(password):
            raise ValueError("a bind needs a name and a password")
        # Bytes pass as they are; a text would be normalised, and be another password.
        self._link.user, self._link.password = name, password.encode()
        self._link.authentication = ldap3.SIMPLE
        try:
            return self._read(lambda: self._link.bind(False, list(controls) or None))
        finally:
            self._link.password = None

    def search(
        self,
        base: str,
        filter_text: str,
        attributes: Sequence[str],
        scope: Scope = "SUBTREE",
        *,
        limit: int = 0,
        controls: Sequence[Control] = (),
        page: tuple[int, bytes] | None = None,
    ) -> Answer:
        """filter_text: made with `equals`; limit: of entries, 0 for none; page: how many, and the
        cookie of the answer before."""
        size, cookie = page or (None, None)
        return self._read(
            lambda: self._link.search(
                base,
                filter_text,
                getattr(ldap3, scope),
                ldap3.DEREF_NEVER,
                list(attributes),
                limit,
                controls=list(controls) or None,
                paged_size=size,
                paged_cookie=cookie,
            )
        )

    def modify(self, dn: str, changes: Changes, controls: Sequence[Control] = ()) -> Answer:
        edits = {
            name: [(_EDITS[edit], list(values)) for edit, values in steps]
            for name, steps in changes.items()
        }
        return self._change(lambda: self._link.modify(dn, edits, list(controls) or None))

    def extended(
        self, name: str, value: bytes | None = None, controls: Sequence[Control] = ()
    ) -> Answer:
        """An extended operation that changes something. value: as it is encoded."""
        return self._change(
            lambda: self._link.extended(name, value, list(controls) or None, no_encode=True)
        )

    @property
    def is_quiet(self) -> bool:
        """Whether it stands and nothing has come that nobody asked for: the other side's end of it
        would have."""
        wire = self._link.socket
        if wire is None:
            return False
        looking = select.poll()
        looking.register(wire, select.POLLIN)
        return not looking.poll(0)

    def close(self) -> None:
        """Says goodbye where that is possible; never raises."""
        if self._link.socket is None:
            return
        self._link.socket.allow(self._receive_timeout)
        try:
            self._link.unbind()
        except (ldap3.core.exceptions.LDAPException, OSError):
            _drop(self._link)

    def _read(self, request: Callable[[], object]) -> Answer:
        fault, _ = self._carried_out(request)
        if fault:
            raise Unreachable("unreachable", fault)
        return self._answer()

    def _change(self, request: Callable[[], object]) -> Answer:
        fault, has_left = self._carried_out(request)
        if fault and has_left:
            raise Unanswered(self.controller)
        if fault:
            raise Unreachable("unreachable", fault)
        return self._answer()

    def _carried_out(self, request: Callable[[], object]) -> tuple[str, bool]:
        """What kept an answer away, "" for nothing, and whether anything was sent.

        Whatever an exception knows of the request, a password among it, ends here.
        """
        link, wire = self._link, self._link.socket
        if wire is None:
            return "closed", False
        wire.allow(self._receive_timeout)
        fault = ""
        try:
            request()
        except Exception as error:
            fault = type(error).__name__
            _drop(link)
        finally:
            link.request = None
        return fault, wire.has_sent

    def _answer(self) -> Answer:
        result = self._link.result
        return Answer(
            code=result["result"],
            message=result["message"],
            entries=tuple(_found(item) for item in self._link.response or () if _is_entry(item)),
            controls={name: item["value"] for name, item in (result.get("controls") or {}).items()},
            value=result.get("responseValue"),
        )


def opened(server: Server, transport: Transport, context: ssl.SSLContext) -> LdapConnection:
    """A connection to this server, nobody signed in; the caller closes it. Raises Unreachable:
    `untrusted` for a certificate or an encryption that is not to be believed."""
    tls = Tls(context, transport.connect_timeout)
    link = ldap3.Connection(
        ldap3.Server(
            server.host,
            server.port,
            use_ssl=not transport.starttls,
            get_info=ldap3.NONE,
            tls=tls,
            connect_timeout=transport.connect_timeout,
        ),
        auto_bind=ldap3.AUTO_BIND_NONE,
        auto_referrals=False,
        auto_range=False,
        auto_escape=False,
        auto_encode=False,
        check_names=False,
        return_empty_attributes=False,
        raise_exceptions=False,
    )
    fault = _opened(link, transport)
    if fault is not None:
        _drop(link)
        raise Unreachable(_trouble(tls.fault or fault), _words(tls.fault or fault))
    return LdapConnection(link, server, transport.receive_timeout)


def _opened(link: Any, transport: Transport) -> Exception | None:
    """Opens the connection and its TLS; what was in the way, nothing when it stands."""
    try:
        link.open(read_server_info=False)
        if transport.starttls:
            link.socket = PlainSocket(fileno=link.socket.detach())
            link.socket.allow(transport.receive_timeout)
            has_tls = link.start_tls(read_server_info=False)
            return None if has_tls else ldap3.core.exceptions.LDAPStartTLSError()
    except Exception as error:
        return error
    return None


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _drop(link: Any) -> None:
    """Ends a connection at once, without a word."""
    wire, link.socket, link.closed, link.listening = link.socket, None, True, False
    if wire is not None:
        wire.close()


def _trouble(fault: Exception) -> Trouble:
    if isinstance(fault, ssl.SSLError) and not isinstance(fault, ssl.SSLEOFError):
        return "untrusted"
    # A server that has no TLS to start is set up for something that can't be done safely.
    if isinstance(fault, ldap3.core.exceptions.LDAPStartTLSError):
        return "configuration"
    return "unreachable"


def _words(fault: Exception) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return fault.verify_message
    # Nothing secret was sent yet, so the words of the system may be told.
    return (isinstance(fault, ssl.SSLError) and fault.reason) or str(fault)[:200]


def _is_entry(item: Mapping[str, Any]) -> bool:
    """References to other servers are not followed."""
    return bool(item["type"] == "searchResEntry")


def _found(item: Mapping[str, Any]) -> Found:
    raw: Mapping[str, Sequence[bytes] | None] = item["raw_attributes"]
    values = {name.lower(): tuple(found or ()) for name, found in raw.items()}
    return Found(item["dn"], values)
