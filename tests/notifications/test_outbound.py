"""Where a tenant's administrator can make us connect to, and where not (R-28)."""

import ipaddress
import socket
from typing import Any

import pytest
from pytest_django import Settings

from notifications import outbound
from notifications.outbound import OutboundFailed, OutboundRefused, allowed, check_url, post
from tests.services.http_sink import Answer, HttpSink
from tests.services.ports import free_port

INSIDE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
]


@pytest.fixture
def production(settings: Settings) -> None:
    settings.SSPR_ENV = "production"


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused_written_or_resolved(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(OutboundRefused):
        check_url(f"https://{host}/send")
    resolves_to(monkeypatch, "93.184.215.14", address)
    with pytest.raises(OutboundRefused):
        post("https://sms.example/send")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_for_development(address: str, settings: Settings) -> None:
    assert allowed(ipaddress.ip_address(address))
    settings.SSPR_ENV = "production"
    assert not allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_allowed(address: str, production: None) -> None:
    assert allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sms.example/send",
        "ftp://sms.example",
        "http://sms.example/send",
        "http://127.0.0.1/send",
        "http://localhost/send",
        "https://user:secret@sms.example/send",
        "https://sms.example/#part",
        "https://sms.example/a b",
        "https://sms.example/\r\nHost: evil",
        "https://sms.example:port/",
        "https://[::1/",
        "file:///etc/passwd",
    ],
)
def test_only_a_full_https_address_will_do(url: str, production: None) -> None:
    check_url("https://sms.example:8443/send?a=1")

    with pytest.raises(OutboundRefused) as refused:
        check_url(url)

    assert "secret" not in str(refused.value)


def test_a_name_is_resolved_once_and_that_address_is_asked(
    http_sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = http_sink.url.rpartition(":")[2]
    monkeypatch.setattr(outbound, "_is_loopback_name", lambda host: True)
    asked = resolves_to(monkeypatch, "127.0.0.1")

    answer = post(f"http://sms.example:{port}/send", json={"a": 1})

    [request] = http_sink.requests
    assert answer.status == 200
    assert request.headers["host"] == f"sms.example:{port}"
    assert request.json() == {"a": 1}
    assert asked.count("sms.example") == 1


def test_a_redirect_is_an_answer_and_not_followed(http_sink: HttpSink) -> None:
    http_sink.answer("/send", Answer(307, b"", {"Location": f"{http_sink.url}/inside"}))

    assert post(f"{http_sink.url}/send").status == 307
    assert [request.path for request in http_sink.requests] == ["/send"]


def test_an_endless_answer_is_cut_off(http_sink: HttpSink) -> None:
    http_sink.answer("/send", Answer(200, b"x" * (outbound.LONGEST_ANSWER + 1)))

    with pytest.raises(OutboundFailed, match="answer_too_long"):
        post(f"{http_sink.url}/send")


def test_no_proxy_of_the_environment_is_used(
    http_sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")

    assert post(f"{http_sink.url}/send").status == 200


def test_a_name_nobody_knows_may_come_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(OutboundFailed, match="name_not_found"):
        post("https://sms.example/send")


def test_a_body_does_not_show_in_repr(http_sink: HttpSink) -> None:
    http_sink.answer("/send", Answer(200, b"alice"))

    assert "alice" not in repr(post(f"{http_sink.url}/send"))
