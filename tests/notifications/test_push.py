"""Web Push: what leaves, to whom alone, and what becomes of a device that is gone."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pytest_django import Settings

from notifications import push
from notifications.channels.base import DeliveryFailed
from notifications.channels.push import PushChannel
from notifications.models import Message, PushSubscription
from notifications.services import Recipient, drain, notify
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.secret import Secret
from tests.notifications.test_channels import message as any_message
from tests.services.http_sink import Answer, HttpSink
from tests.services.phone import Subscriber

PATH = "/push/x"


@pytest.fixture
def inside(tenant: Tenant, settings: Settings) -> Iterator[None]:
    settings.SSPR_OUTBOX_DIR = ""
    with tenant_context(tenant.id):
        yield


def claims_of(request: Any, key: str) -> dict[str, Any]:
    """The token's claims, after its signature was checked with the public key of the page."""
    kind, _, rest = request.headers["authorization"].partition(" ")
    token, _, known = rest.partition(",")
    assert (kind, known) == ("vapid", f"k={key}")
    head, _, signature = token.removeprefix("t=").rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    numbers = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    point = base64.urlsafe_b64decode(key + "=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    public.verify(encode_dss_signature(*numbers), head.encode(), ec.ECDSA(hashes.SHA256()))
    body = head.partition(".")[2]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return found


def test_a_message_says_only_that_something_waits_and_only_the_device_can_read_it(
    inside: None, tenant: Tenant, http_sink: HttpSink, now: datetime
) -> None:
    device = Subscriber.new()
    address = device.subscribe(http_sink.url + PATH, now)
    notify("approval", "push", Recipient(address, "en"), {}, now=now, reference="K7M4-92QX")

    assert drain(now) == 1

    [request] = http_sink.requests
    said = device.read(request.body)
    assert said["title"] == tenant.name
    assert said["body"] == "Something waits for you in your authenticator. Open it to see what."
    assert set(said) == {"title", "body"}
    assert request.headers["content-encoding"] == "aes128gcm"
    assert (request.headers["urgency"], request.headers["ttl"]) == ("high", "300")
    claims = claims_of(request, push.public_key())
    assert claims["aud"] == http_sink.url
    assert claims["sub"].startswith("mailto:")
    row = Message.objects.get()
    assert (row.state, row.channel) == ("sent", "push")
    assert b"/push/x" not in bytes(PushSubscription.objects.get().sealed)


@pytest.mark.parametrize(
    ("status", "permanent", "kept"),
    [
        (404, True, False),
        (410, True, False),
        (400, True, True),
        (413, True, True),
        (429, False, True),
        (500, False, True),
        (503, False, True),
    ],
)
def test_a_device_that_is_gone_is_forgotten_and_a_busy_service_is_asked_again(
    inside: None,
    http_sink: HttpSink,
    now: datetime,
    status: int,
    permanent: bool,
    kept: bool,
) -> None:
    http_sink.answer(PATH, Answer(status))
    address = Subscriber.new().subscribe(http_sink.url + PATH, now)
    message = replace(any_message("push", now), to=Secret(address))

    with pytest.raises(DeliveryFailed) as failure:
        PushChannel().send(message)

    assert failure.value.permanent is permanent
    assert PushSubscription.objects.exists() is kept


def test_a_busy_service_gets_the_message_later(
    inside: None, http_sink: HttpSink, now: datetime
) -> None:
    http_sink.answer(PATH, Answer(503), Answer(201))
    device = Subscriber.new()
    address = device.subscribe(http_sink.url + PATH, now)
    notify("approval", "push", Recipient(address, "de"), {}, now=now)

    drain(now)
    assert Message.objects.get().state == "queued"
    drain(now + timedelta(seconds=10))

    assert Message.objects.get().state == "sent"
    assert len(http_sink.requests) == 2


@pytest.mark.parametrize("address", ["", "nobody", "0" * 32])
def test_an_address_of_no_device_reaches_nobody(inside: None, now: datetime, address: str) -> None:
    message = replace(any_message("push", now), to=Secret(address))

    with pytest.raises(DeliveryFailed) as failure:
        PushChannel().send(message)

    assert (failure.value.cause, failure.value.permanent) == ("not_subscribed", True)


@pytest.mark.parametrize(
    ("endpoint", "production", "development"),
    [
        ("https://fcm.googleapis.com/fcm/send/x", True, True),
        ("https://updates.push.services.mozilla.com/wpush/v2/x", True, True),
        ("https://web.push.apple.com/x", True, True),
        ("https://db5p.notify.windows.com/w/?token=x", True, True),
        ("https://push.example/x", True, True),
        ("https://fcm.googleapis.com:8443/x", False, False),
        ("https://fcm.googleapis.com.evil.example/x", False, False),
        ("https://evilpush.apple.com.example/x", False, False),
        ("https://push.apple.com/x", False, False),
        ("http://fcm.googleapis.com/x", False, False),
        ("https://user@fcm.googleapis.com/x", False, False),
        ("https://169.254.169.254/latest/meta-data/", False, False),
        ("https://10.0.0.1/x", False, False),
        ("http://127.0.0.1:9/x", False, True),
        ("http://localhost:9/x", False, True),
        ("file:///etc/passwd", False, False),
        ("https://fcm.googleapis.com/" + "x" * 1000, False, False),
        ("", False, False),
    ],
)
def test_only_push_services_are_ever_asked(
    settings: Settings, endpoint: str, production: bool, development: bool
) -> None:
    settings.SSPR_PUSH_HOSTS = ("push.example",)
    for name, allowed in (("production", production), ("development", development)):
        settings.SSPR_ENV = name
        try:
            push.check_endpoint(endpoint)
            taken = True
        except push.PushRefused:
            taken = False
        assert taken is allowed, name


def test_a_service_that_left_the_list_is_not_asked_any_more(
    inside: None, http_sink: HttpSink, now: datetime, settings: Settings
) -> None:
    address = Subscriber.new().subscribe(http_sink.url + PATH, now)
    settings.SSPR_ENV = "production"

    with pytest.raises(DeliveryFailed) as failure:
        PushChannel().send(replace(any_message("push", now), to=Secret(address)))

    assert (failure.value.cause, http_sink.requests) == ("address_refused", [])


@pytest.mark.parametrize("part", ["endpoint", "keys", "p256dh", "auth", "all"])
@pytest.mark.parametrize("value", [None, "", "x", 7, [], {}, "A" * 22, "!" * 87])
def test_what_is_no_subscription_is_refused(part: str, value: Any) -> None:
    given: Any = Subscriber.new().subscription("https://fcm.googleapis.com/x")
    push.read_target(given)
    if part == "all":
        given = value
    elif part in {"p256dh", "auth"}:
        given["keys"][part] = value
    else:
        given[part] = value

    if part == "auth" and value == "A" * 22:
        push.read_target(given)  # sixteen bytes, as every secret
        return
    with pytest.raises(push.PushRefused):
        push.read_target(given)


def test_a_device_has_one_subscription_the_newest(
    inside: None, http_sink: HttpSink, now: datetime
) -> None:
    device = Subscriber.new()

    first = device.subscribe(http_sink.url + PATH, now)
    second = device.subscribe(http_sink.url + "/push/y", now)

    assert first == second
    assert push.open_target(PushSubscription.objects.get()).endpoint.endswith("/push/y")
    push.unsubscribe([device.device])
    assert push.subscriptions_of([device.device]) == []


def test_the_signing_key_stays_the_same() -> None:
    before = push.public_key()
    push.signing_key.cache_clear()

    assert push.public_key() == before
    assert len(base64.urlsafe_b64decode(before + "=")) == 65
