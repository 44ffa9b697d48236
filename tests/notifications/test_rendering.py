"""Words: language, direction, time, and other people's text as harmless data."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from notifications.kinds import KINDS
from notifications.rendering import Rendered, Value, one_line, paragraphs, render
from tenants.secret import Secret

NOW = datetime(2026, 11, 20, 13, 55, tzinfo=UTC)
BASIC: dict[str, Value] = {
    "tenant_name": "Acme",
    "reference": "K7M4-92QX",
    "when": NOW,
    "expires_at": NOW,
    "minutes": 5,
    "count": 3,
    "recipient_name": "",
    "code": Secret("042137"),
}

MAILED = [key for key, kind in KINDS.items() if "email" in kind.channels]


def words(kind: str, channel: str = "email", language: str = "en", **facts: Value) -> Rendered:
    return render(KINDS[kind], channel, language, {**BASIC, **facts})


def test_a_code_mail_says_the_code_its_end_and_to_keep_it() -> None:
    mail = words("code")

    assert mail.subject == "Acme account email verification code"
    for part in (mail.text, mail.html):
        assert "042137" in part
        assert "5 minutes" in part
        assert "20 November 2026, 13:55 UTC" in part
        assert "including IT" in part
        assert "did not ask" in part
        assert "K7M4-92QX" in part
        assert "http" not in part


def test_a_text_message_is_the_sentence_and_the_line_a_phone_fills_in(
    settings: Settings,
) -> None:
    settings.SSPR_BASE_URL = "https://reset.acme.example"

    text = words("code", "sms")

    assert text.text == (
        "042137 is your Acme code for 5 minutes. Tell nobody, including IT. Not you? Ignore it.\n"
        "\n"
        "@reset.acme.example #042137"
    )
    assert (text.subject, text.html) == ("", "")


def test_a_text_message_names_the_host_the_person_is_on() -> None:
    assert words("code", "sms", host="Acme.Localhost:8000").text.endswith("@acme.localhost #042137")
    assert words("code", "sms", host="x y\n@evil").text.endswith("@localhost #042137")


def test_a_call_speaks_each_digit_and_repeats_them() -> None:
    spoken = words("code", "voice").text

    assert spoken.count("0, 4, 2, 1, 3, 7.") == 2
    assert "042137" not in spoken


def test_arabic_runs_from_right_to_left() -> None:
    assert '<html lang="ar" dir="rtl">' in words("password_changed", language="ar").html
    assert '<html lang="en" dir="ltr">' in words("password_changed", language="en").html
    assert '<strong dir="ltr">042137</strong>' in words("code", language="ar").html


@pytest.mark.parametrize(("tag", "spoken"), [("es-us", "es"), ("de_AT", "de"), ("xx", "en")])
def test_a_region_speaks_its_language_and_an_unknown_one_english(tag: str, spoken: str) -> None:
    assert f'<html lang="{spoken}"' in words("password_changed", language=tag).html


def test_a_time_is_told_in_the_zone_and_language_of_the_reader(settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"

    assert "20 November 2026, 14:55 CET" in words("password_changed").text
    assert "20 de noviembre de 2026, 14:55 CET" in words("password_changed", language="es").text


@pytest.mark.parametrize("kind", [key for key in MAILED if key != "help_request"])
def test_markup_in_a_name_stays_text(kind: str) -> None:
    hostile = '<script>alert(1)</script>{{ 7|add:7 }}{% now "Y" %}'

    mail = words(kind, tenant_name=hostile, name=hostile, helpdesk_phone=hostile)

    assert "<script" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "{{ 7|add:7 }}" in mail.html
    assert hostile in mail.subject


def test_what_a_person_wrote_is_quoted_line_by_line_and_escaped() -> None:
    note = "Hello\r\n\r\n<img src=x>\u202egnp.exe\x00\nBye"

    mail = words("help_request", note=note, user_id="alice@contoso.example")

    assert "> Hello\n> <img src=x>gnp.exe\n> Bye" in mail.text
    assert "<img" not in mail.html
    assert "&lt;img src=x&gt;gnp.exe" in mail.html
    assert "alice@contoso.example" in mail.text


def test_a_link_can_not_leave_its_attribute() -> None:
    mail = words("password_changed", not_me_url='https://x.example/"onclick="alert(1)')

    assert 'onclick="' not in mail.html
    assert "https://x.example/&quot;onclick=" in mail.html


def test_the_mail_after_a_reset_says_when_what_to_do_and_whom_to_call() -> None:
    mail = words(
        "password_changed",
        not_me_url="https://reset.acme.example/not-me/abc",
        helpdesk_phone="+1 4255550199",
        recipient_name="Alice Adams",
    )

    assert mail.subject == "Your Acme password was changed"
    for part in (mail.text, mail.html):
        assert "Alice Adams" in part
        assert "Your Acme password was changed on 20 November 2026, 13:55 UTC." in part
        assert "If this was you, do nothing." in part
        assert "https://reset.acme.example/not-me/abc" in part
        assert "+1 4255550199" in part


def test_a_mail_loads_nothing_from_outside_and_has_no_inline_style() -> None:
    for kind in MAILED:
        html = words(kind).html.lower()
        assert not {
            mark for mark in ("<img", "<link", "<script", "style", "<table") if mark in html
        }
        assert html.startswith("<!doctype html>")


def test_a_line_holds_no_break_no_control_and_no_turned_text() -> None:
    assert one_line("Acme\r\nBcc: x\u2028y\x00 \u202ez") == "Acme Bcc: x y z"
    assert paragraphs("a\r\n\r\nb\x0bc") == ["a", "b c"]


def test_rendered_words_do_not_show_in_repr() -> None:
    assert "042137" not in repr(words("code"))
