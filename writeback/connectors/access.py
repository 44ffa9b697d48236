"""PURE. Whether a security descriptor lets an account reset a password.

Active Directory lists for a caller which attributes may be written, but `Reset Password` is an
extended right that appears in no list. So the entry's own access list is walked as the server
walks it: in order, the first that speaks about the right decides ([MS-ADTS] 5.1.3.3.4). Rights of
the owner and of the entry to itself are left aside; they are nobody's who resets for others.

Layouts: [MS-DTYP] 2.4.2 to 2.4.6.
"""

import struct
from collections.abc import Collection, Iterator
from typing import Final
from uuid import UUID

RESET_PASSWORD: Final = UUID("00299570-246d-11d0-a768-00aa006e0529")
EVERYONE: Final = bytes.fromhex("010100000000000100000000")
AUTHENTICATED: Final = bytes.fromhex("01010000000000050b000000")

_CONTROL_ACCESS: Final = 0x100
_EVERYTHING: Final = 0x10000000
_ALLOWED, _DENIED, _ALLOWED_OBJECT, _DENIED_OBJECT = 0, 1, 5, 6
_INHERIT_ONLY: Final = 0x08
_HAS_TYPE, _HAS_INHERITED_TYPE = 1, 2
_HAS_LIST: Final = 0x04
_DESCRIPTOR: Final = struct.Struct("<BxHIIII")
_LIST: Final = struct.Struct("<BxHHxx")
_ENTRY: Final = struct.Struct("<BBHI")


def may_reset(descriptor: bytes, holder: Collection[bytes]) -> bool:
    """Whether one who holds these security identifiers has the right. What can't be read allows
    nothing. An absent list allows everything, an empty one nothing."""
    identities = {*holder, EVERYONE, AUTHENTICATED}
    try:
        control, offset = _list_of(descriptor)
        if not control & _HAS_LIST or not offset:
            return True
        for is_allowed, identity in _entries_about_the_right(descriptor, offset):
            if identity in identities:
                return is_allowed
    except (struct.error, ValueError, IndexError):
        return False
    return False


def _list_of(descriptor: bytes) -> tuple[int, int]:
    _, control, _, _, _, offset = _DESCRIPTOR.unpack_from(descriptor)
    return control, offset


def _entries_about_the_right(descriptor: bytes, offset: int) -> Iterator[tuple[bool, bytes]]:
    _, _, count = _LIST.unpack_from(descriptor, offset)
    at = offset + _LIST.size
    for _ in range(count):
        kind, flags, size, mask = _ENTRY.unpack_from(descriptor, at)
        if size < _ENTRY.size:
            raise ValueError("an entry shorter than its head")
        body = descriptor[at + _ENTRY.size : at + size]
        at += size
        identity = _identity(kind, body)
        if identity and mask & (_CONTROL_ACCESS | _EVERYTHING) and not flags & _INHERIT_ONLY:
            yield kind in {_ALLOWED, _ALLOWED_OBJECT}, identity


def _identity(kind: int, body: bytes) -> bytes:
    """Whom an entry is about, b"" where it is about another right."""
    if kind in {_ALLOWED, _DENIED}:
        return _sid(body)
    if kind not in {_ALLOWED_OBJECT, _DENIED_OBJECT}:
        return b""
    present = int.from_bytes(body[:4], "little")
    rest = body[4:]
    if present & _HAS_TYPE:
        if rest[:16] != RESET_PASSWORD.bytes_le:
            return b""
        rest = rest[16:]
    return _sid(rest[16:] if present & _HAS_INHERITED_TYPE else rest)


def _sid(body: bytes) -> bytes:
    """The identifier at the beginning; its second byte says how long it is."""
    return body[: 8 + 4 * body[1]]
