"""What goes over the wire to each provider, and settings that are sealed."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pytest_django import Settings

from notifications.channels.base import DeliveryFailed
from notifications.models import ProviderSetting
from notifications.provider_settings import (
    ProviderRefused,
    find_provider,
    provider_problems,
    remove_provider,
    save_provider,
)
from notifications.providers import file, generic_http
from notifications.providers import twilio as twilio_provider
from notifications.providers.base import PhoneMessage
from notifications.services import CodeSource, drain
from tenants.context import tenant_context
from tenants.keys import SealBroken
from tenants.models import Tenant
from tests.notifications.accounts import TWILIO_ACCOUNT, TWILIO_TOKEN, generic, twilio
from tests.notifications.post import PHONE, code_of, queue_code, raw_bytes, reread, trail
from tests.services.http_sink import Answer, HttpSink

TEXTS = f"/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages.json"
CALLS = f"/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Calls.json"
CREATED = Answer(201, b'{"sid": "SM00000000000000000000000000000001"}')


def a_text(**more: Any) -> PhoneMessage:
    values = {
        "to": "+14255550101",
        "text": "042137 is your code",
        "language": "en",
        "channel": "sms",
        "idempotency_key": "7",
    }
    return PhoneMessage(**{**values, **more})


def test_a_code_reaches_twilio_as_a_text_message(
    tenant: Tenant, now: datetime, source: CodeSource, http_sink: HttpSink, settings: Settings
) -> None:
    settings.SSPR_OUTBOX_DIR = ""
    http_sink.answer(TEXTS, CREATED)
    with tenant_context(tenant.id):
        save_provider("sms", "twilio", twilio(http_sink.url))
    row = queue_code(tenant, now, source, channel="sms", to=PHONE)

    assert drain(now) == 1

    [request] = http_sink.requests
    code = code_of(tenant, source)
    body = (
        f"{code} is your Contoso code for 5 minutes. Tell nobody, including IT. Not you? Ignore it."
    )
    body += f"\n\n@localhost #{code}"
    assert (request.method, request.path) == ("POST", TEXTS)
    assert request.form() == {
        "To": ["+14255550101"],
        "From": ["+14255550100"],
        "Body": [body],
    }
    signed = base64.b64encode(f"{TWILIO_ACCOUNT}:{TWILIO_TOKEN}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {signed}"
    assert (reread(row).state, reread(row).provider_id) == (
        "sent",
        "SM00000000000000000000000000000001",
    )


def test_a_code_reaches_twilio_as_a_call_that_speaks_digits(
    tenant: Tenant, now: datetime, source: CodeSource, http_sink: HttpSink, settings: Settings
) -> None:
    settings.SSPR_OUTBOX_DIR = ""
    http_sink.answer(CALLS, CREATED)
    with tenant_context(tenant.id):
        Tenant.objects.update(name="Smith & <Sons>")
        save_provider("voice", "twilio", twilio(http_sink.url))
    queue_code(tenant, now, source, channel="voice", to=PHONE)

    assert drain(now) == 1

    [request] = http_sink.requests
    form = request.form()
    root = ElementTree.fromstring(form["Twiml"][0])  # noqa: S314 - our own text, sent a moment ago
    spoken = [say.text or "" for say in root.iter("Say")]
    digits = ", ".join(code_of(tenant, source))
    assert (request.path, root.tag) == (CALLS, "Response")
    assert {say.attrib["language"] for say in root.iter("Say")} == {"en-US"}
    assert spoken[0] == "Hello. This is a call from Smith & <Sons>."
    assert sum(digits in line for line in spoken) == 2


def test_arabic_is_spoken_by_a_voice_that_knows_it() -> None:
    spoken = twilio_provider.twiml('a "b" <c> & d\n\ne', "ar")

    assert spoken == (
        '<Response><Say language="arb" voice="Polly.Zeina">a "b" &lt;c&gt; &amp; d</Say>'
        '<Pause length="1"/><Say language="arb" voice="Polly.Zeina">e</Say></Response>'
    )


def test_a_messaging_service_takes_the_place_of_the_sender(http_sink: HttpSink) -> None:
    service = "MG" + "0" * 32
    config = twilio(http_sink.url, messaging_service_sid=service)
    del config["from"]

    twilio_provider.deliver(a_text(), config)

    form = http_sink.requests[0].form()
    assert form["MessagingServiceSid"] == [service]
    assert "From" not in form


def test_what_twilio_says_of_a_number_is_the_cause(
    tenant: Tenant, now: datetime, source: CodeSource, http_sink: HttpSink, settings: Settings
) -> None:
    settings.SSPR_OUTBOX_DIR = ""
    body = json.dumps({"code": 21211, "message": "The number +14255550101 is not valid"})
    http_sink.answer(TEXTS, Answer(400, body.encode()))
    with tenant_context(tenant.id):
        save_provider("sms", "twilio", twilio(http_sink.url))
    row = queue_code(tenant, now, source, channel="sms", to=PHONE)

    drain(now)

    assert (reread(row).state, reread(row).error) == ("failed", "twilio_21211")
    assert "4255550101" not in str(trail(tenant))


def test_a_slow_provider_is_tried_again(
    http_sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.outbound.TIMEOUT", 0.2)
    http_sink.answer(TEXTS, Answer(delay=30))

    with pytest.raises(DeliveryFailed) as failed:
        twilio_provider.deliver(a_text(), twilio(http_sink.url))

    assert (failed.value.cause, failed.value.permanent) == ("timeout", False)


@pytest.mark.parametrize("form", ["json", "form"])
def test_a_generic_provider_gets_its_fields_and_its_secret(form: str, http_sink: HttpSink) -> None:
    http_sink.answer("/send", Answer(202, b'{"id": 4711}'))
    body = {"to": "{to}", "msg": "[{text}] {id}", "lang": "{language}", "by": "{channel}"}

    found = generic_http.deliver(a_text(), generic(f"{http_sink.url}/send", body=body, format=form))

    [request] = http_sink.requests
    fields = (
        request.json()
        if form == "json"
        else {key: values[0] for key, values in request.form().items()}
    )
    assert fields == {
        "to": "+14255550101",
        "msg": "[042137 is your code] 7",
        "lang": "en",
        "by": "sms",
    }
    assert request.headers["authorization"] == "Bearer made-up-secret"
    assert request.headers["idempotency-key"] == "7"
    assert found == "4711"


def test_what_is_put_in_is_not_looked_at_again() -> None:
    filled = generic_http.filled({"m": "{text}", "x": "{to.__class__}"}, a_text(text="{to} {id}"))

    assert filled == {"m": "{to} {id}", "x": ""}


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"id": true}', b'{"id": "a\\nb"}', b"\xff"])
def test_an_answer_without_a_usable_id_is_an_answer(body: bytes, http_sink: HttpSink) -> None:
    http_sink.answer("/send", Answer(200, body))

    assert generic_http.deliver(a_text(), generic(f"{http_sink.url}/send")) == ""


def test_files_are_for_development_only(tmp_path: Path, settings: Settings) -> None:
    config = {"folder": str(tmp_path)}
    file.deliver(a_text(extension="12"), config)
    settings.SSPR_ENV = "production"

    assert "kind" in dict(file.problems("sms", config))
    with pytest.raises(DeliveryFailed) as refused:
        file.deliver(a_text(), config)
    assert refused.value.permanent
    [written] = tmp_path.iterdir()
    assert json.loads(written.read_text(encoding="utf-8"))["extension"] == "12"


@pytest.mark.parametrize(
    ("channel", "kind", "change", "key"),
    [
        ("email", "twilio", {}, "channel"),
        ("sms", "pigeon", {}, "kind"),
        ("sms", "twilio", {"account_sid": "AC1"}, "account_sid"),
        ("sms", "twilio", {"auth_token": ""}, "auth_token"),
        ("sms", "twilio", {"auth_token": "a\nb"}, "auth_token"),
        ("sms", "twilio", {"from": ""}, "from"),
        ("sms", "twilio", {"from": "no+sender"}, "from"),
        ("sms", "twilio", {"messaging_service_sid": "MG" + "0" * 32}, "from"),
        ("sms", "twilio", {"from": "", "messaging_service_sid": "1"}, "messaging_service_sid"),
        ("voice", "twilio", {"messaging_service_sid": "MG" + "0" * 32}, "messaging_service_sid"),
        ("voice", "twilio", {"from": "Contoso"}, "from"),
        ("sms", "twilio", {"base_url": "http://api.example"}, "base_url"),
        ("sms", "generic_http", {"url": ""}, "url"),
        ("sms", "generic_http", {"url": "https://10.0.0.1/send"}, "url"),
        ("sms", "generic_http", {"format": "xml"}, "format"),
        ("sms", "generic_http", {"body": "text"}, "body"),
        ("sms", "generic_http", {"body": {"to": "{to}"}}, "body"),
        ("sms", "generic_http", {"body": {"to": "{to}", "m": "{text} {password}"}}, "body"),
        ("sms", "generic_http", {"auth_header": "X: y\r\n"}, "auth_header"),
        ("sms", "generic_http", {"auth_header": "Host"}, "auth_header"),
        ("sms", "generic_http", {"auth_value": "a\r\nX: y"}, "auth_value"),
        ("sms", "generic_http", {"auth_value": "geheimnüs"}, "auth_value"),
        ("sms", "generic_http", {"colour": "blue"}, "colour"),
    ],
)
def test_a_setting_that_can_not_work_is_named_with_its_fix(
    channel: str, kind: str, change: dict[str, Any], key: str, tenant: Tenant
) -> None:
    base = generic("https://sms.example/send")
    config = {**(twilio("https://api.example") if kind == "twilio" else base), **change}

    found = provider_problems(channel, kind, config)

    assert [name for name, _ in found] == [key]
    assert "made-up" not in str(found)
    with tenant_context(tenant.id), pytest.raises(ProviderRefused, match=key):
        save_provider(channel, kind, config)


def test_a_setting_is_sealed_found_changed_and_removed(tenant: Tenant) -> None:
    with tenant_context(tenant.id):
        assert find_provider("sms") is None
        first = save_provider("sms", "generic_http", generic("https://sms.example/send"))
        second = save_provider("sms", "twilio", twilio("https://api.example"))
        found = find_provider("sms")

        assert first.id == second.id
        assert found is not None
        assert (found.kind, found.config["auth_token"]) == ("twilio", TWILIO_TOKEN)
        assert TWILIO_TOKEN not in repr(found)
        raw = raw_bytes(tenant, "notifications_providersetting")
        assert TWILIO_TOKEN.encode() not in raw
        assert b"twilio" in raw
        remove_provider("sms")
        assert find_provider("sms") is None


def test_credentials_open_for_their_own_channel_and_provider_only(tenant: Tenant) -> None:
    with tenant_context(tenant.id):
        save_provider("sms", "twilio", twilio("https://api.example"))
        ProviderSetting.objects.update(kind="generic_http")

        with pytest.raises(SealBroken):
            find_provider("sms")


def test_another_tenants_provider_is_not_found(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_context(tenant.id):
        save_provider("sms", "twilio", twilio("https://api.example"))

    with tenant_context(other_tenant.id):
        assert find_provider("sms") is None
