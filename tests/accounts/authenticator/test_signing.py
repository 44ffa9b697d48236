"""What a device signs: one text for one purpose, and only its own key's signature counts."""

from uuid import UUID

import pytest

from accounts.authenticator.signing import (
    BadKey,
    check_key,
    decision_text,
    enrolment_text,
    from_base64,
    is_signed,
    request_text,
    to_base64,
)
from tests.services.phone import Phone

CHALLENGE, TENANT = UUID(int=1), UUID(int=2)


def test_only_the_holder_of_the_key_signed_the_text() -> None:
    phone, other = Phone.new(), Phone.new()
    text = decision_text(CHALLENGE, TENANT, "42", "approve")
    signature = from_base64(phone.sign(text))

    assert is_signed(phone.point, signature, text)
    assert not is_signed(other.point, signature, text)
    assert not is_signed(phone.point, from_base64(other.sign(text)), text)


@pytest.mark.parametrize(
    "other",
    [
        decision_text(UUID(int=3), TENANT, "42", "approve"),
        decision_text(CHALLENGE, UUID(int=3), "42", "approve"),
        decision_text(CHALLENGE, TENANT, "43", "approve"),
        decision_text(CHALLENGE, TENANT, "42", "deny"),
        enrolment_text("42", "approve"),
        request_text("d", "/p", b"", 1),
    ],
)
def test_a_signature_is_good_for_exactly_one_text(other: bytes) -> None:
    phone = Phone.new()
    signature = from_base64(phone.sign(decision_text(CHALLENGE, TENANT, "42", "approve")))

    assert not is_signed(phone.point, signature, other)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), b"\xff" * 64, bytes(65)])
def test_what_is_no_signature_is_wrong_and_never_an_error(signature: bytes) -> None:
    assert not is_signed(Phone.new().point, signature, b"text")


@pytest.mark.parametrize("point", [b"", bytes(65), b"\x04" + bytes(64), b"\x04" + b"\xff" * 64])
def test_what_is_no_key_is_refused(point: bytes) -> None:
    with pytest.raises(BadKey):
        check_key(point)
    assert not is_signed(point, bytes(range(64)), b"text")
    check_key(Phone.new().point)


def test_a_line_break_in_a_part_signs_nothing_else() -> None:
    phone = Phone.new()
    told = request_text("d\nPOST", "/p", b"", 1)

    assert told == b""
    assert not is_signed(phone.point, from_base64(phone.sign(told)), told)


@pytest.mark.parametrize("text", ["", "a", "????", "é", "a b", "=" * 5])
def test_what_is_no_base64_is_nothing(text: str) -> None:
    assert from_base64(text) == b""
    assert from_base64(to_base64(b"bytes")) == b"bytes"
