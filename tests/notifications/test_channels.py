"""One conformance test over all channels and all providers."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from notifications.channels.base import Channel, Delivery, DeliveryFailed, OutgoingMessage
from notifications.channels.registry import CHANNELS, OpenChannels, carrier
from notifications.models import Message
from notifications.provider_settings import save_provider
from notifications.providers.base import PhoneMessage
from notifications.providers.registry import PROVIDERS
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.secret import Secret
from tests.notifications.accounts import TWILIO_ACCOUNT, generic, twilio
from tests.services.http_sink import Answer, HttpSink
from tests.services.phone import Subscriber
from tests.services.ports import free_port
from tests.services.smtp import SmtpSink

CODE = "042137"
ADDRESSES = {"sms": "+14255550101", "voice": "+14255550101;ext=123", "none": ""}
LEAVES_THE_MACHINE = ["email", "sms", "voice"]


@pytest.fixture
def ready(
    tenant: Tenant,
    by_smtp: SmtpSink,
    http_sink: HttpSink,
    settings: Settings,
    outbox_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    now: datetime,
) -> Iterator[Tenant]:
    """A tenant for whom every channel works."""
    settings.SSPR_OUTBOX_DIR = str(outbox_dir)
    with tenant_context(tenant.id):
        save_provider("sms", "twilio", twilio(http_sink.url))
        save_provider("voice", "twilio", twilio(http_sink.url))
        device = Subscriber.new()
        address = device.subscribe(f"{http_sink.url}/push/x", now)
        monkeypatch.setitem(ADDRESSES, "push", address)
        yield tenant


def message(name: str, now: datetime) -> OutgoingMessage:
    return OutgoingMessage(
        id=uuid4(),
        tenant="contoso",
        tenant_name="Contoso",
        channel=name,
        kind="code",
        language="en",
        created=now,
        to=Secret(ADDRESSES.get(name, "alice@contoso.example")),
        subject="Your code",
        text=f"Your code is {CODE}.",
        html=f"<p>{CODE}</p>",
        data={"code": Secret(CODE)},
    )


@pytest.mark.parametrize("name", CHANNELS)
def test_every_channel_takes_a_message_and_says_what_it_is_called(
    name: str, ready: Tenant, now: datetime
) -> None:
    channel: Channel = CHANNELS[name]()

    first, second = channel.send(message(name, now)), channel.send(message(name, now))
    channel.close()
    channel.close()

    assert isinstance(first, Delivery)
    assert isinstance(second, Delivery)
    assert len(first.provider_id) <= 100


@pytest.mark.parametrize("name", LEAVES_THE_MACHINE)
def test_every_channel_refuses_an_address_with_a_line_break_for_good(
    name: str, ready: Tenant, now: datetime, by_smtp: SmtpSink, http_sink: HttpSink
) -> None:
    good = message(name, now)
    bad = replace(good, to=Secret(good.to.reveal() + "\r\nBcc: eve@evil.example"))
    channel = CHANNELS[name]()

    with pytest.raises(DeliveryFailed) as refused:
        channel.send(bad)

    assert refused.value.permanent
    assert (by_smtp.mails, http_sink.requests) == ([], [])


@pytest.mark.parametrize("name", LEAVES_THE_MACHINE)
def test_every_channel_lets_trouble_on_the_way_be_tried_again(
    name: str, ready: Tenant, now: datetime, settings: Settings
) -> None:
    settings.EMAIL_PORT = nowhere = free_port()
    for channel in ("sms", "voice"):
        save_provider(channel, "twilio", twilio(f"http://127.0.0.1:{nowhere}"))

    with pytest.raises(DeliveryFailed) as failed:
        CHANNELS[name]().send(message(name, now))

    assert (failed.value.cause, failed.value.permanent) == ("unreachable", False)


@pytest.mark.parametrize("name", CHANNELS)
def test_no_channel_logs_an_address_or_a_code(
    name: str, ready: Tenant, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sent = message(name, now)

    channel = CHANNELS[name]()
    channel.send(sent)
    channel.close()

    ours = [record for record in caplog.records if record.name != "mail.log"]  # the test's server
    logged = "".join(str(record.__dict__) for record in ours) + repr(sent)
    for hidden in (CODE, "alice", "4255550101", TWILIO_ACCOUNT):
        assert hidden not in logged


def test_every_channel_of_a_message_has_an_entry() -> None:
    assert set(Message.Channel.values) <= set(CHANNELS)


def test_the_file_outbox_takes_the_place_of_every_channel_but_the_decoys(
    settings: Settings,
) -> None:
    settings.SSPR_OUTBOX_DIR = "somewhere"
    assert [carrier(name) for name in ("email", "sms", "voice", "none")] == ["file"] * 3 + ["none"]
    settings.SSPR_OUTBOX_DIR = ""
    assert [carrier(name) for name in ("email", "none")] == ["email", "none"]


def test_a_channel_nobody_knows_is_not_found(settings: Settings) -> None:
    settings.SSPR_OUTBOX_DIR = ""

    assert OpenChannels().find("pigeon") is None


@pytest.mark.parametrize("name", ["sms", "voice"])
def test_without_a_provider_a_message_to_a_phone_fails_for_good(
    name: str, tenant: Tenant, now: datetime
) -> None:
    with tenant_context(tenant.id), pytest.raises(DeliveryFailed) as failed:
        CHANNELS[name]().send(message(name, now))

    assert (failed.value.cause, failed.value.permanent) == ("no_provider", True)


@pytest.mark.parametrize("number", ["4255550101", "+1 4255550101", "+1425555x1", "", "+0123456789"])
def test_a_number_that_is_not_e164_is_refused(number: str, ready: Tenant, now: datetime) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        CHANNELS["sms"]().send(replace(message("sms", now), to=Secret(number)))

    assert (failed.value.cause, failed.value.permanent) == ("address_refused", True)


def test_a_text_message_leaves_the_extension_out_and_a_call_dials_it(
    ready: Tenant, now: datetime, http_sink: HttpSink
) -> None:
    for name in ("sms", "voice"):
        to = Secret("+14255550101;ext=123")
        CHANNELS[name]().send(replace(message(name, now), to=to))

    sms, call = (request.form() for request in http_sink.requests)
    assert sms["To"] == call["To"] == ["+14255550101"]
    assert "SendDigits" not in sms
    assert call["SendDigits"] == ["ww123"]


CONFIGS: dict[str, Callable[[str, Path], dict[str, Any]]] = {
    "twilio": lambda url, folder: twilio(url),
    "generic_http": lambda url, folder: generic(f"{url}/send"),
    "file": lambda url, folder: {"folder": str(folder)},
}


@pytest.mark.parametrize("kind", PROVIDERS)
@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_every_provider_takes_its_configuration_and_a_message(
    kind: str, channel: str, http_sink: HttpSink, tmp_path: Path
) -> None:
    config = CONFIGS[kind](http_sink.url, tmp_path)
    request = PhoneMessage("+14255550101", f"It is {CODE}.", "en", channel, str(uuid4()))

    assert PROVIDERS[kind].problems(channel, config) == []
    assert isinstance(PROVIDERS[kind].deliver(request, config), str)

    assert len(http_sink.requests) + len(list(tmp_path.iterdir())) == 1
    assert CODE not in repr(request)
    assert "4255550101" not in repr(request)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_every_provider_names_what_it_lacks_and_what_it_does_not_know(kind: str) -> None:
    found = PROVIDERS[kind].problems("sms", {"colour": "blue"})

    assert "colour" in dict(found)
    assert len(found) > 1
    assert all(fix.endswith(".") for _, fix in found)


@pytest.mark.parametrize("kind", ["twilio", "generic_http"])
@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (404, True), (302, True), (408, False), (429, False), (503, False)],
)
def test_every_provider_tries_again_only_what_may_come_right(
    kind: str, status: int, permanent: bool, http_sink: HttpSink, tmp_path: Path
) -> None:
    config = CONFIGS[kind](http_sink.url, tmp_path)
    answer = Answer(status, b"alice said no", {"Location": f"{http_sink.url}/elsewhere"})
    http_sink.answer("/send", answer)
    http_sink.answer(f"/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages.json", answer)
    request = PhoneMessage("+14255550101", "text", "en", "sms", str(uuid4()))

    with pytest.raises(DeliveryFailed) as failed:
        PROVIDERS[kind].deliver(request, config)

    assert (failed.value.cause, failed.value.permanent) == (f"http_{status}", permanent)
    assert len(http_sink.requests) == 1
