"""How Active Directory writes down times, identities, passwords and versions."""

import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeback.connectors.active_directory_values import (
    ENFORCE_HISTORY,
    Stamp,
    duration,
    guid_bytes,
    guid_text,
    moment,
    quoted,
    stamp_of_texts,
    stamp_of_vector,
)

GUID = "f79fd50a-3777-4039-ab10-baa55ae57946"
MOMENT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SECONDS = 13439_640_600
TICKS = SECONDS * 10_000_000


def test_a_permanent_id_is_kept_with_its_first_three_fields_little_endian() -> None:
    value = guid_bytes(GUID)

    assert value is not None
    assert value.hex() == "0ad59ff777373940ab10baa55ae57946"
    assert guid_text(value) == GUID
    assert guid_bytes(GUID.upper()) == value


@given(st.uuids())
def test_every_id_comes_back_as_it_was(guid: UUID) -> None:
    assert guid_text(guid_bytes(str(guid)) or b"") == str(guid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "\\00",
        "O\\,Brien+x=#1",
        f"{{{GUID}}}",
        f"urn:uuid:{GUID}",
        GUID.replace("-", ""),
        f" {GUID}",
        f"{GUID}\n",
        f"{GUID})(objectClass=*",
        GUID.replace("f", "g", 1),
        GUID.replace("0", "\N{FULLWIDTH DIGIT ZERO}"),
        GUID.replace("7", "\N{ARABIC-INDIC DIGIT SEVEN}"),
    ],
)
def test_a_text_that_is_not_exactly_an_id_is_none(text: str) -> None:
    assert guid_bytes(text) is None


@pytest.mark.parametrize("length", [0, 15, 17])
def test_bytes_of_another_length_are_no_id(length: int) -> None:
    with pytest.raises(ValueError, match="16"):
        guid_text(bytes(length))


def test_a_password_is_quoted_and_otherwise_as_typed() -> None:
    assert quoted(' "e\N{COMBINING ACUTE ACCENT} ') == b'"\0 \0"\0e\0\x01\x03 \0"\0'
    assert quoted("\N{GRINNING FACE}") == b'"\0\x3d\xd8\x00\xde"\0'


def test_half_a_character_can_not_be_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        quoted("a\ud83d")


def test_the_value_of_the_control_is_a_sequence_of_the_number_one() -> None:
    assert ENFORCE_HISTORY.hex() == "3003020101"


@pytest.mark.parametrize(
    ("ticks", "found"),
    [
        (TICKS, MOMENT),
        (TICKS + 9_999_999, MOMENT),
        (None, None),
        (0, None),
        (-1, None),
        (2**63 - 1, None),
        (2**63 - 2, None),  # a year that no calendar has
    ],
)
def test_a_time_is_nothing_where_there_is_none(ticks: int | None, found: datetime | None) -> None:
    assert moment(ticks) == found


@pytest.mark.parametrize(
    ("ticks", "found"),
    [
        (-30 * 60 * 10_000_000, timedelta(minutes=30)),
        (0, timedelta(0)),
        (None, None),
        (1, None),
        (-(2**63), None),
        (-(2**63) + 1, None),
    ],
)
def test_an_interval_is_nothing_where_it_has_no_end(
    ticks: int | None, found: timedelta | None
) -> None:
    assert duration(ticks) == found


def xml(name: str, version: str = "7", changed: str = "2026-11-20T09:30:00Z") -> bytes:
    return (
        "<DS_REPL_ATTR_META_DATA>\n"
        f"\t<pszAttributeName>{name}</pszAttributeName>\n"
        f"\t<dwVersion>{version}</dwVersion>\n"
        f"\t<ftimeLastOriginatingChange>{changed}</ftimeLastOriginatingChange>\n"
        "\t<uuidLastOriginatingDsaInvocationID>…</uuidLastOriginatingDsaInvocationID>\n"
        "</DS_REPL_ATTR_META_DATA>\n\0"
    ).encode()


def test_the_version_of_the_password_is_found_among_those_of_other_attributes() -> None:
    values = [xml("lmPwdHistory", "3"), xml("unicodePwdX", "4"), xml("unicodePwd", "12")]

    assert stamp_of_texts(values) == Stamp(12, MOMENT)
    assert stamp_of_texts([xml("unicodePwd", changed="2026-11-20T09:30:00")]) == Stamp(7, MOMENT)
    assert stamp_of_texts(values[:2]) is None
    assert stamp_of_texts([]) is None


@pytest.mark.parametrize(
    "value",
    [
        xml("unicodePwd", version="many"),
        xml("unicodePwd", version="&big;"),
        xml("unicodePwd", version=""),
        xml("unicodePwd", changed=""),
        xml("unicodePwd", changed="soon"),
        xml("unicodePwd", changed="2026-13-01T00:00:00Z"),
    ],
)
def test_a_version_that_can_not_be_understood_is_never_taken_for_none(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        stamp_of_texts([xml("pwdLastSet"), value])


def vector(*stamps: tuple[int, int, int], layout: int = 1) -> bytes:
    head = struct.pack("<4I", layout, 0, len(stamps), 0)
    return head + b"".join(
        struct.pack("<IIq16sqq", attribute, version, seconds, b"", 0, 0)
        for attribute, version, seconds in stamps
    )


def test_the_same_version_is_read_where_a_server_keeps_it() -> None:
    other = (0x90060, 3, SECONDS)

    assert stamp_of_vector(vector(other, (0x9005A, 5, SECONDS))) == Stamp(5, MOMENT)
    assert stamp_of_vector(vector((0x9005A, 5, 0))) == Stamp(5, datetime(1601, 1, 1, tzinfo=UTC))
    assert stamp_of_vector(vector(other)) is None
    assert stamp_of_vector(vector()) is None


@pytest.mark.parametrize(
    "value", [b"", bytes(15), vector(layout=2), vector((0x9005A, 5, 1))[:-1], bytes(16)]
)
def test_another_layout_is_not_guessed_at(value: bytes) -> None:
    with pytest.raises(ValueError, match="stamp"):
        stamp_of_vector(value)
