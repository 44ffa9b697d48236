"""Whether an access list lets an account reset a password."""

import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeback.connectors.access import AUTHENTICATED, EVERYONE, RESET_PASSWORD, may_reset

SERVICE = bytes.fromhex("0105000000000005150000000102030405060708090a0b0c67040000")
GROUP = bytes.fromhex("0105000000000005150000000102030405060708090a0b0c68040000")
STRANGER = bytes.fromhex("01020000000000052000000020020000")
CHANGE_PASSWORD = UUID("ab721a53-1e2f-11d0-9819-00aa0040529b")
USER_CLASS = UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
CONTROL_ACCESS, WRITE, EVERYTHING, GENERIC_ALL = 0x100, 0x20, 0xF01FF, 0x10000000
INHERITED, INHERIT_ONLY = 0x10, 0x08


def entry(who: bytes, *, denies: bool = False, mask: int = CONTROL_ACCESS, flags: int = 0) -> bytes:
    """An entry about all rights of its mask."""
    return struct.pack("<BBHI", int(denies), flags, 8 + len(who), mask) + who


def about(
    who: bytes,
    right: UUID | None = RESET_PASSWORD,
    *,
    denies: bool = False,
    mask: int = CONTROL_ACCESS,
    flags: int = 0,
    inherited_by: UUID | None = None,
) -> bytes:
    """An entry about one extended right, or about all of them where none is named."""
    present = (1 if right else 0) | (2 if inherited_by else 0)
    body = present.to_bytes(4, "little")
    body += b"".join(guid.bytes_le for guid in (right, inherited_by) if guid) + who
    return struct.pack("<BBHI", 6 if denies else 5, flags, 8 + len(body), mask) + body


def descriptor(*entries: bytes, control: int = 0x8004) -> bytes:
    body = b"".join(entries)
    access = struct.pack("<BBHHH", 4, 0, 8 + len(body), len(entries), 0) + body
    return struct.pack("<BBHIIII", 1, 0, control, 0, 0, 0, 20) + access


@pytest.mark.parametrize(
    "entries",
    [
        [about(SERVICE)],
        [about(GROUP)],
        [about(EVERYONE)],
        [about(AUTHENTICATED)],
        [about(SERVICE, None)],
        [about(SERVICE, inherited_by=USER_CLASS, flags=INHERITED)],
        [entry(SERVICE)],
        [entry(GROUP, mask=EVERYTHING)],
        [entry(GROUP, mask=GENERIC_ALL)],
        [about(STRANGER, denies=True), about(SERVICE)],
        [about(SERVICE, CHANGE_PASSWORD, denies=True), about(SERVICE)],
        [about(SERVICE), about(SERVICE, denies=True)],  # the order decides, not the kind
        [entry(SERVICE, denies=True, flags=INHERIT_ONLY), entry(SERVICE)],
    ],
)
def test_who_is_allowed_may_reset(entries: list[bytes]) -> None:
    is_for_all = any(who in b"".join(entries) for who in (EVERYONE, AUTHENTICATED))

    assert may_reset(descriptor(*entries), [SERVICE, GROUP])
    assert may_reset(descriptor(*entries), []) == is_for_all


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [about(STRANGER)],
        [about(SERVICE, CHANGE_PASSWORD)],
        [about(SERVICE, mask=WRITE)],
        [about(SERVICE, flags=INHERIT_ONLY)],
        [entry(SERVICE, mask=WRITE)],
        [entry(SERVICE, denies=True), entry(SERVICE)],
        [about(GROUP, denies=True), about(SERVICE)],
        [entry(SERVICE, flags=INHERIT_ONLY)],
        [struct.pack("<BBHI", 9, 0, 8 + len(SERVICE), CONTROL_ACCESS) + SERVICE],
    ],
)
def test_who_is_not_allowed_or_refused_before_may_not(entries: list[bytes]) -> None:
    assert not may_reset(descriptor(*entries), [SERVICE, GROUP])


def test_without_a_list_everybody_may() -> None:
    assert may_reset(descriptor(control=0x8000), [])
    assert may_reset(struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 0), [])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        descriptor(about(SERVICE))[:19],
        descriptor(about(SERVICE))[:30],
        descriptor(struct.pack("<BBHI", 0, 0, 0, CONTROL_ACCESS) + SERVICE),
        descriptor(struct.pack("<BBHI", 0, 0, 8, CONTROL_ACCESS)),
    ],
)
def test_what_can_not_be_read_allows_nothing(data: bytes) -> None:
    assert not may_reset(data, [SERVICE])


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    may_reset(data, [SERVICE])
    may_reset(descriptor(about(SERVICE))[:20] + data, [SERVICE])
