"""PURE. How Active Directory writes things down: times, identities, passwords, versions.

Layouts: [MS-ADTS] 2.2.6, 3.1.1.3.1.5 and 3.1.1.3.4.1; [MS-DRSR] 4.1.13.1.15.
"""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

POLICY_HINTS: Final = ("1.2.840.113556.1.4.2239", "1.2.840.113556.1.4.2066")
"""The control that has history hold for an administrator's reset too, and its name on servers of
before Windows Server 2012."""
ENFORCE_HISTORY: Final = b"\x30\x03\x02\x01\x01"
"""SEQUENCE { INTEGER 1 }"""

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_TICKS_A_SECOND: Final = 10_000_000
_NO_END: Final = 2**63 - 1

_UNICODE_PWD: Final = 0x9005A
_VECTOR: Final = struct.Struct("<4I")
_STAMP: Final = struct.Struct("<IIq16sqq")
_NAME: Final = re.compile(rb"<pszAttributeName>\s*unicodePwd\s*</pszAttributeName>")
_VERSION: Final = re.compile(rb"<dwVersion>\s*(\d{1,10})\s*</dwVersion>")
_CHANGED: Final = re.compile(
    rb"<ftimeLastOriginatingChange>\s*([0-9T:+.-]{1,40}Z?)\s*</ftimeLastOriginatingChange>"
)


@dataclass(frozen=True)
class Stamp:
    """How often a server has seen the password change, and when last."""

    version: int
    changed_at: datetime


NEVER: Final = Stamp(0, _EPOCH)
"""Of a password that was never set."""


def guid_bytes(text: str) -> bytes | None:
    """The 16 bytes of an objectGUID as the directory keeps them, with its first three fields
    little-endian; nothing for a text that is not exactly a GUID."""
    return UUID(text).bytes_le if _GUID.fullmatch(text) else None


def guid_text(value: bytes) -> str:
    """Raises ValueError for other than 16 bytes."""
    return str(UUID(bytes_le=value))


def quoted(password: str) -> bytes:
    """A value of `unicodePwd`: exactly these characters. Raises UnicodeEncodeError for half of a
    surrogate pair, which no directory could be told."""
    return f'"{password}"'.encode("utf-16-le")


def moment(ticks: int | None) -> datetime | None:
    """A FILETIME; nothing for 0 and for never, the two ways to say that there is none."""
    if ticks is None or not 0 < ticks < _NO_END:
        return None
    try:
        return _EPOCH + timedelta(seconds=ticks // _TICKS_A_SECOND)
    except OverflowError:
        return None


def duration(ticks: int | None) -> timedelta | None:
    """An interval of a policy, a negative count of ticks; nothing for one without an end."""
    if ticks is None or not -_NO_END < ticks <= 0:
        return None
    return timedelta(seconds=-ticks // _TICKS_A_SECOND)


def stamp_of_texts(values: Iterable[bytes]) -> Stamp | None:
    """The password's stamp among the values of `msDS-ReplAttributeMetaData`, nothing where none of
    them is about it. Raises ValueError for one that can't be understood.

    They are XML of a fixed shape. Three fields are looked for, nothing is parsed: so there is no
    entity that could be expanded.
    """
    for value in values:
        if _NAME.search(value):
            version, changed = _VERSION.search(value), _CHANGED.search(value)
            if not version or not changed:
                raise ValueError("a stamp without a version or a time")
            changed_at = datetime.fromisoformat(changed[1].decode())
            return Stamp(int(version[1]), changed_at.replace(tzinfo=changed_at.tzinfo or UTC))
    return None


def stamp_of_vector(value: bytes) -> Stamp | None:
    """The same stamp from `replPropertyMetaData`, where a server keeps it: Samba has no other.

    Four numbers, of which the first is 1, then stamps of 48 bytes; their times are seconds. Raises
    ValueError for another layout.
    """
    if len(value) < _VECTOR.size or _VECTOR.unpack_from(value)[0] != 1:
        raise ValueError("no vector of stamps")
    stamps = value[_VECTOR.size :]
    if len(stamps) % _STAMP.size:
        raise ValueError("a stamp that ends too early")
    for attribute, version, seconds, *_ in _STAMP.iter_unpack(stamps):
        if attribute == _UNICODE_PWD:
            return Stamp(version, moment(seconds * _TICKS_A_SECOND) or NEVER.changed_at)
    return None
