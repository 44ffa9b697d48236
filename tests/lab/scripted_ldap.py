"""A server that speaks LDAP over TLS and answers what the test wants: for answers that no real
server of the lab gives."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ldap3.protocol import rfc4511 as asn1
from ldap3.strategy.base import BaseStrategy
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error

from tests.lab.certificates import Certificate

EXTENDED_REQUEST = "extendedReq"
SEARCH = 0x63
_ANSWERS = {
    "bindRequest": ("bindResponse", asn1.BindResponse),
    "modifyRequest": ("modifyResponse", asn1.ModifyResponse),
    "searchRequest": ("searchResDone", asn1.SearchResultDone),
    EXTENDED_REQUEST: ("extendedResp", asn1.ExtendedResponse),
}


@dataclass(frozen=True)
class Asked:
    """One request. controls: identifier, whether it is critical, value, of all but searches;
    details: as `ldap3` reads the rest, of a search its base and its bytes."""

    kind: str
    controls: tuple[tuple[str, bool, bytes], ...]
    details: Mapping[str, Any]

    @property
    def base(self) -> str:
        return str(self.details["base"])


@dataclass(frozen=True)
class Said:
    """An answer. entries: distinguished names and their attributes; as_extended: in the shape that
    a server uses which refuses a critical control before it knows the request; pieces: bytes
    instead of an answer, one after the other; hangs_up: nothing instead of one."""

    code: int = 0
    message: str = ""
    entries: Sequence[tuple[str, Mapping[str, Sequence[bytes]]]] = ()
    as_extended: bool = False
    pieces: Iterable[bytes] = ()
    hangs_up: bool = False


class ScriptedLdap:
    """Serves on 127.0.0.1 until it is stopped. `asked` holds the requests in their order.

    shown: the certificate of its TLS; nothing for a server that has none.
    """

    host = "127.0.0.1"

    def __init__(self, shown: Certificate | None, answer: Callable[[Asked], Said]) -> None:
        self._context = _serving(shown) if shown else None
        self._answer = answer
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.asked: list[Asked] = []

    def start(self) -> None:
        self._begin(self._accept)

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._end_all()
        for thread in list(self._threads):
            thread.join(10)

    def hang_up(self) -> None:
        """Ends every talk, as a server does that has had enough of one; new ones may begin."""
        talks = [thread for thread in self._threads[1:] if thread.is_alive()]
        self._end_all()
        for thread in talks:
            thread.join(10)

    def _end_all(self) -> None:
        ended, self._open = self._open, []
        for one in ended:
            with suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    def of(self, kind: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.kind == kind]

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._begin(self._talk, near)

    def _talk(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            if self._context is None:
                self._listen_to(near)
            else:
                with self._context.wrap_socket(near, server_side=True) as wire:
                    self._listen_to(wire)

    def _listen_to(self, wire: socket.socket) -> None:
        self._open.append(wire)
        received = b""
        while data := wire.recv(65536):
            received += data
            while 0 < (size := BaseStrategy.compute_ldap_message_size(received)) <= len(received):
                message, received = received[:size], received[size:]
                if not self._reply(wire, message):
                    return

    def _reply(self, wire: socket.socket, data: bytes) -> bool:
        """Whether the talk goes on."""
        try:
            number, asked = _asked(data)
        except (PyAsn1Error, IndexError):
            return False
        self.asked.append(asked)
        if asked.kind not in _ANSWERS:
            return False
        said = self._answer(asked)
        if said.hangs_up:
            return False
        for piece in said.pieces:
            wire.sendall(piece)
        if said.pieces:
            return True
        for name, attributes in said.entries:
            wire.sendall(_message(number, "searchResEntry", _entry(name, attributes)))
        name, kind = _ANSWERS[EXTENDED_REQUEST if said.as_extended else asked.kind]
        wire.sendall(_message(number, name, _result(kind(), said)))
        return True


def _serving(shown: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    return context


def _asked(data: bytes) -> tuple[int, Asked]:
    """The number of a request and the request."""
    _, body, _ = _piece(data, 0)
    _, number, at = _piece(body, 0)
    tag, operation, _ = _piece(body, at)
    if tag == SEARCH:
        # Filters within filters are more than pyasn1 can read of ldap3's grammar.
        _, base, _ = _piece(operation, 0)
        found = Asked("searchRequest", (), {"base": base.decode(), "bytes": operation})
        return int.from_bytes(number, "big"), found
    message, _ = decoder.decode(data, asn1Spec=asn1.LDAPMessage())
    kind = message["protocolOp"].getName()
    details = BaseStrategy.decode_request(kind, message["protocolOp"].getComponent())
    controls = tuple(
        (str(one["controlType"]), bool(one["criticality"]), bytes(one["controlValue"]))
        for one in (message["controls"] if message["controls"].isValue else ())
    )
    return int(message["messageID"]), Asked(kind, controls, details)


def _piece(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and value of what begins there, and where it ends."""
    tag, length, begins = data[at], data[at + 1], at + 2
    if length & 0x80:
        begins += length & 0x7F
        length = int.from_bytes(data[at + 2 : begins], "big")
    return tag, data[begins : begins + length], begins + length


def _message(number: int, name: str, component: Any) -> bytes:
    message = asn1.LDAPMessage()
    message["messageID"] = asn1.MessageID(number)
    message["protocolOp"] = asn1.ProtocolOp().setComponentByName(name, component)
    encoded: bytes = encoder.encode(message)
    return encoded


def _result(component: Any, said: Said) -> Any:
    component["resultCode"] = asn1.ResultCode(said.code)
    component["matchedDN"] = asn1.LDAPDN("")
    component["diagnosticMessage"] = asn1.LDAPString(said.message)
    return component


def _entry(name: str, attributes: Mapping[str, Sequence[bytes]]) -> Any:
    entry = asn1.SearchResultEntry()
    entry["object"] = asn1.LDAPDN(name)
    entry["attributes"] = asn1.PartialAttributeList()
    for position, (key, values) in enumerate(attributes.items()):
        attribute = asn1.PartialAttribute()
        attribute["type"] = asn1.AttributeDescription(key)
        attribute["vals"] = asn1.Vals()
        for index, value in enumerate(values):
            attribute["vals"].setComponentByPosition(index, asn1.AttributeValue(value))
        entry["attributes"].setComponentByPosition(position, attribute)
    return entry
