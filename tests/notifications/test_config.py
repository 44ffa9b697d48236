"""Providers in policy as code: set, changed, kept, removed, and never shown."""

from uuid import UUID

import pytest

from notifications.provider_settings import find_provider
from tenants.config.engine import export_tenant
from tenants.context import tenant_context
from tests.tenants.config.files import applied, apply, changed

pytestmark = pytest.mark.django_db

BASE = """\
[tenant]
slug = "contoso"
name = "Contoso"
domains = [{ name = "contoso.example" }]
"""
TOKEN = "b1946ac92492d2347c6235b4d2611184"
SMS = f"""
[[providers]]
channel = "sms"
kind = "twilio"
account_sid = "AC{"0" * 32}"
auth_token = "{TOKEN}"
from = "+14255550100"
"""
VOICE = """
[[providers]]
channel = "voice"
kind = "generic_http"
url = "https://calls.example/v1"
body = { to = "{to}", say = "{text}" }
auth_header = "Authorization"
auth_value = "Bearer f1d2d2f924e986ac86fdf7b36c94bcdf32beec15"
"""


def config_of(tenant: UUID, channel: str) -> dict[str, object]:
    """The opened settings of a channel; empty without a provider."""
    with tenant_context(tenant):
        found = find_provider(channel)
        return dict(found.config) if found is not None else {}


def test_providers_are_set_and_the_second_application_has_nothing_to_do() -> None:
    tenant = applied(BASE + SMS + VOICE)

    sms, voice = config_of(tenant, "sms"), config_of(tenant, "voice")
    assert sms["auth_token"] == TOKEN
    assert voice["body"] == {"to": "{to}", "say": "{text}"}
    assert changed(apply(BASE + SMS + VOICE)) == []


def test_export_leaves_secrets_out_and_applying_it_keeps_them() -> None:
    tenant = applied(BASE + SMS + VOICE)

    text = export_tenant("contoso")
    assert TOKEN not in text
    assert "Bearer" not in text
    assert changed(apply(text)) == []
    assert config_of(tenant, "sms")["auth_token"] == TOKEN


def test_a_changed_secret_is_not_shown() -> None:
    applied(BASE + SMS)

    outcome = apply(BASE + SMS.replace(TOKEN, "another-token-of-the-account"))

    assert changed(outcome) == ["~ provider sms: auth_token: (secret, changed)"]


def test_a_channel_that_is_left_out_loses_its_provider_and_no_section_changes_nothing() -> None:
    tenant = applied(BASE + SMS + VOICE)

    assert changed(apply(BASE)) == []
    assert changed(apply(BASE + SMS)) == ["- provider voice"]
    assert config_of(tenant, "voice") == {}
    assert config_of(tenant, "sms") != {}


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        (SMS.replace("AC0", "XX0"), 9, "providers[0].account_sid", "Copy the Account SID"),
        (SMS.replace("+14255550100", "nobody at all, really"), 11, "providers[0].from", "at most"),
        (SMS + SMS, 14, "providers[1].channel", "once"),
        (SMS.replace('"sms"', '"fax"'), 7, "providers[0].channel", "Use one of"),
        (VOICE.replace("https", "ftp"), 9, "providers[0].url", "https"),
        (VOICE.replace("{text}", "{secret}"), 10, "providers[0].body", "Use only"),
        (VOICE.replace("say =", "say = 1, also ="), 10, "providers[0].body", "Write the fields"),
        (VOICE + "speed = 3\n", 13, "providers[0].speed", "no such key"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_its_line(
    text: str, line: int, key: str, words: str
) -> None:
    outcome = apply(BASE + text)

    found = [(problem.line, problem.key) for problem in outcome.problems]
    assert (line, key) in found
    assert any(words in problem.message for problem in outcome.problems)
    assert TOKEN not in str(outcome)
