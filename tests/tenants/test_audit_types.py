"""Nothing gets into the trail that its type does not list."""

from enum import StrEnum

import pytest

from tenants.audit_progress import progress_reason
from tenants.audit_types import (
    EVENT_TYPES,
    KeyNotAllowed,
    UnknownEventType,
    allowed_data,
    clean_text,
    get_event_type,
)
from tenants.secret import Secret

FAILED = get_event_type("flow.verification_failed")


class Method(StrEnum):
    EMAIL = "email"


def test_an_unknown_type_is_refused() -> None:
    assert get_event_type("flow.started").key == "flow.started"

    with pytest.raises(UnknownEventType, match=r"flow\.strated"):
        get_event_type("flow.strated")


def test_a_key_the_type_does_not_list_is_refused_without_its_value() -> None:
    assert allowed_data(FAILED, {"method": "email"}) == {"method": "email"}

    with pytest.raises(KeyNotAllowed) as refused:
        allowed_data(FAILED, {"method": "email", "code": "492817"})

    assert "code" in str(refused.value)
    assert "492817" not in str(refused.value)


@pytest.mark.parametrize("value", ["a", 1, True, None, ["a", 1, None], ("a", "b"), Method.EMAIL])
def test_plain_values_and_lists_of_them_are_kept(value: object) -> None:
    kept = allowed_data(FAILED, {"cause": value})["cause"]

    assert kept == (list(value) if isinstance(value, tuple) else value)
    assert type(kept) in {str, int, bool, list, type(None)}


@pytest.mark.parametrize("value", [1.5, b"a", {"a": 1}, [["a"]], object(), Secret("Sommer-2026")])
def test_any_other_value_is_refused_without_showing_it(value: object) -> None:
    with pytest.raises(KeyNotAllowed) as refused:
        allowed_data(FAILED, {"cause": value})

    assert type(value).__name__ in str(refused.value)
    assert "Sommer" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Zoë Müller 李", "Zoë Müller 李"),
        ("a\r\nb\x00", "a\\u000d\\u000ab\\u0000"),
        ("moc\u202eelpmaxe", "moc\\u202eelpmaxe"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
    ],
)
def test_control_characters_are_escaped_and_names_are_not(text: str, kept: str) -> None:
    assert clean_text(text) == kept
    assert allowed_data(FAILED, {"cause": [text]})["cause"] == [kept]


@pytest.mark.parametrize("text", ["x" * 201, "\n" * 201])
def test_long_text_is_cut_after_escaping(text: str) -> None:
    assert clean_text("x" * 200) == "x" * 200
    assert len(clean_text(text)) == 200


def test_every_type_is_complete_and_fits_its_columns() -> None:
    for key, each in EVENT_TYPES.items():
        assert key == each.key
        assert len(key) <= 60
        assert 0 < len(each.activity) <= 120
        assert each.service
        assert each.category
        assert len(progress_reason(key, "security_questions", "voice")) <= 120


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (("flow.verification_started", "email", ""), "started the email verification option"),
        (
            ("flow.verification_completed", "mobile_phone", "sms"),
            "completed the mobile phone text message verification option",
        ),
        (("flow.verification_failed", "", ""), "did not pass the verification option"),
        (("flow.options_presented", "", ""), "was shown the verification options"),
    ],
)
def test_a_step_is_told_in_a_sentence(step: tuple[str, str, str], reason: str) -> None:
    assert progress_reason(*step) == f"user {reason}"


def test_what_is_no_step_has_no_sentence_and_an_unknown_type_is_refused() -> None:
    assert progress_reason("message.sent", "email", "sms") == ""

    with pytest.raises(UnknownEventType):
        progress_reason("flow.strated")
