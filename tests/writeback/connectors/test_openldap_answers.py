"""The answers of OpenLDAP and its password policy, as they were seen and as they are published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeback.connectors.openldap_answers import (
    Policy,
    answer_of_bind,
    cause_of_change,
    code_for_log,
    password_modify,
    policy_read,
    time_read,
    version_read,
)


@pytest.mark.parametrize(
    ("result", "error", "cause"),
    [
        (0, None, ""),
        (0, 6, ""),
        (19, 5, "password_rules"),
        (19, 6, "password_rules"),
        (19, 7, "password_rules"),
        (19, 8, "password_rules"),
        (19, 9, "password_rules"),
        (19, None, "password_rules"),
        (50, 3, "no_right_to_reset"),
        (50, 4, "wrong_old_password"),
        (50, 2, "no_right_to_reset"),
        (50, None, "no_right_to_reset"),
        (2, None, "unsupported"),
        (8, None, "needs_encryption"),
        (12, None, "unsupported"),
        (13, None, "needs_encryption"),
        (16, None, "unsupported"),
        (17, None, "unsupported"),
        (32, None, "person_missing"),
        (51, None, "busy"),
        (52, None, "busy"),
        (53, None, "refused"),
        (10, None, "refused"),
        (80, 77, "refused"),
    ],
)
def test_a_change_is_understood_by_the_policy_first_and_then_by_the_result(
    result: int, error: int | None, cause: str
) -> None:
    assert cause_of_change(result, Policy(error)) == cause


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        (0, ""),
        (50, "no_right_to_unlock"),
        (19, "refused"),
        (17, "unsupported"),
        (32, "person_missing"),
        (51, "busy"),
    ],
)
def test_a_lock_that_stays_has_its_own_reasons(result: int, cause: str) -> None:
    assert cause_of_change(result, Policy(), "unlock") == cause


@pytest.mark.parametrize(
    ("result", "error", "answer"),
    [
        (0, None, "right"),
        (0, 2, "must_change"),
        (49, None, "wrong"),
        (49, 0, "expired"),
        (49, 1, "locked"),
        (49, 2, "wrong"),
        (13, None, "refused"),
        (51, 1, "refused"),
    ],
)
def test_a_bind_tells_what_is_known_of_the_password(
    result: int, error: int | None, answer: str
) -> None:
    assert answer_of_bind(result, Policy(error)) == answer


def test_the_log_has_both_numbers() -> None:
    assert (code_for_log(19, Policy(8)), code_for_log(32, Policy())) == ("19/8", "32")


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("3003810106", 6),
        ("3003810100", 0),
        ("3000", None),
        ("3005a003800103", None),
        ("3008a003800103810102", 2),
        ("04023000" + "3003810101", 1),
        ("30028100", None),
        ("30810381010830", 8),
        ("3082000381010830", 8),
        ("3009810106", None),
        ("3084ffffffff", None),
        ("30", None),
        ("", None),
        ("0101ff", None),
    ],
)
def test_the_policy_s_number_is_read_wherever_it_stands(value: str, error: int | None) -> None:
    assert policy_read(bytes.fromhex(value)) == Policy(error)


@pytest.mark.parametrize("value", [None, "3003810106", {"error": 6}])
def test_what_is_no_control_says_nothing(value: object) -> None:
    assert policy_read(value) == Policy()


@given(st.binary(max_size=40))
def test_no_bytes_of_a_server_are_too_strange_to_read(value: bytes) -> None:
    assert isinstance(policy_read(value), Policy)


@pytest.mark.parametrize(
    ("person", "new", "old", "encoded"),
    [
        ("uid=a", "new", None, b"\x30\x0c\x80\x05uid=a\x82\x03new"),
        ("uid=a", "new", "old", b"\x30\x11\x80\x05uid=a\x81\x03old\x82\x03new"),
        ("uid=ä", "ü ", None, b"\x30\x0d\x80\x06uid=\xc3\xa4\x82\x03\xc3\xbc "),
        ("u", "n" * 127, None, b"\x30\x81\x84\x80\x01u\x82\x7f" + b"n" * 127),
        ("u", "n" * 256, None, b"\x30\x82\x01\x07\x80\x01u\x82\x82\x01\x00" + b"n" * 256),
    ],
)
def test_a_request_to_set_a_password_is_encoded_as_published(
    person: str, new: str, old: str | None, encoded: bytes
) -> None:
    assert password_modify(person, new, old) == encoded


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("20261120093000Z", "2026-11-20T09:30:00+00:00"),
        ("20261120093000.25Z", "2026-11-20T09:30:00.250000+00:00"),
        ("20261120093000.1234567Z", "2026-11-20T09:30:00.123456+00:00"),
        ("20261120093000", None),
        ("20261320093000Z", None),
        ("000001010000Z", None),
        ("20261120093000.xZ", None),
        ("2026-11-20 0930Z", None),
        ("", None),
    ],
)
def test_a_time_of_the_directory_is_read_exactly(text: str, shown: str | None) -> None:
    found = time_read(text)

    assert (None if found is None else found.isoformat()) == shown


def version(changed_at: str, change_number: str, has_policy: bool = True) -> int:
    return version_read(changed_at, change_number, has_policy=has_policy)


def test_a_version_grows_with_each_change_of_the_password_even_within_a_second() -> None:
    first = version("20261120093000Z", "20261120093000.100000Z#000000#000#000000")
    second = version("20261120093000Z", "20261120093000.200000Z#000000#000#000000")
    later = version("20261120093001Z", "20261120093001.000000Z#000000#000#000000")

    assert first < second < later


def test_a_version_grows_with_a_change_at_the_turn_of_a_second() -> None:
    before = version("20261120093000Z", "20261120093000.997000Z#000000#000#000000")
    turned = version("20261120093000Z", "20261120093001.000300Z#000000#000#000000")
    after = version("20261120093001Z", "20261120093001.004000Z#000000#000#000000")

    assert before < turned < after


def test_a_version_does_not_grow_with_a_later_change_of_something_else() -> None:
    before = version("20261120093000Z", "20261120093000.100000Z#000000#000#000000")
    after = version("20261120093000Z", "20261120094500.000000Z#000000#000#000000")

    assert 0 < after <= before


@pytest.mark.parametrize(
    ("changed_at", "change_number", "has_policy", "microseconds"),
    [
        ("", "20261120093000.100000Z#000000#000#000000", True, 0),
        ("20261120093000Z", "", True, 1795167000_000000),
        ("20261120093000Z", "nonsense", True, 1795167000_000000),
        ("", "20261120093000.100000Z#000000#000#000000", False, 1795167000_100000),
        ("20261120093000Z", "20261120093001.0Z#0", False, 1795167001_000000),
        ("", "", False, 0),
    ],
)
def test_a_version_is_of_the_password_or_without_a_policy_of_the_entry(
    changed_at: str, change_number: str, has_policy: bool, microseconds: int
) -> None:
    assert version(changed_at, change_number, has_policy) == microseconds
