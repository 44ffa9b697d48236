"""The services' own transport: whose certificate counts, and what is known when it fails."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.certificates import Authority
from tests.services.ports import free_port
from tests.services.scim import ALICE, TOKEN, ScimDouble
from writeback.connectors.base import Change, Unreachable
from writeback.connectors.scim import ScimDirectory, from_settings
from writeback.connectors.web import Answer, Request, Transport, WebService


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def service(
    authority: Authority, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[ScimDouble]:
    """A service over TLS, whose certificate is for this machine or as the test has it."""
    name, expired = getattr(request, "param", ("127.0.0.1", False))
    issued = authority.issue(tmp_path / "service", [name], expired=expired)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(issued.certificate, issued.key)
    double = ScimDouble(tls)
    double.start()
    yield double
    double.stop()


def directory(service: ScimDouble, ca_file: Path | None) -> ScimDirectory:
    written = {"base": service.base, "ca_file": str(ca_file or "")}
    return from_settings(written, lambda: TOKEN)


def test_a_password_is_set_over_a_connection_whose_other_end_is_proved(
    service: ScimDouble, authority: Authority
) -> None:
    with directory(service, authority.file).connect() as connection:
        alice = connection.find(ALICE)
        assert alice is not None
        done = connection.set_password(alice, "a good one", unlock=False, must_change=False)

    assert (done, service.alice.password) == (Change(), "a good one")


def test_a_certificate_of_a_stranger_is_not_believed(service: ScimDouble) -> None:
    with pytest.raises(Unreachable) as caught, directory(service, None).connect():
        raise AssertionError("connected")

    assert caught.value.trouble == "untrusted"
    assert service.asked == []


@pytest.mark.parametrize(
    "service", [("elsewhere.example", False), ("127.0.0.1", True)], indirect=True
)
def test_a_certificate_for_another_name_or_time_is_not_believed(
    service: ScimDouble, authority: Authority
) -> None:
    with (
        pytest.raises(Unreachable) as caught,
        directory(service, authority.file).connect(),
    ):
        raise AssertionError("connected")

    assert (caught.value.trouble, service.asked) == ("untrusted", [])


def test_a_service_without_tls_is_not_believed_to_have_it(authority: Authority) -> None:
    plain = ScimDouble()
    plain.start()
    base = plain.base.replace("http://", "https://")
    try:
        with (
            pytest.raises(Unreachable) as caught,
            from_settings({"base": base}, lambda: TOKEN).connect(),
        ):
            raise AssertionError("connected")
    finally:
        plain.stop()

    assert caught.value.trouble == "untrusted"


def test_a_file_without_certificates_is_a_mistake(service: ScimDouble, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for ca_file in (empty, tmp_path / "missing.pem"):
        with pytest.raises(Unreachable) as caught, directory(service, ca_file).connect():
            raise AssertionError("connected")
        assert caught.value.trouble == "configuration"


def test_a_change_that_never_left_is_told_as_such() -> None:
    with (
        WebService(f"http://127.0.0.1:{free_port()}", Transport()) as service,
        pytest.raises(Unreachable) as caught,
    ):
        service.change(Request("PATCH", "/Users/x", {}, b"{}"))

    assert (caught.value.trouble, caught.value.detail) == ("unreachable", "ConnectError")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("7", 7.0), ("", 1.5), ("-3", 1.5), ("1e9", 1.5), ("9999999", 1.5), ("Fri, 20 Nov", 1.5)],
)
def test_how_long_to_wait_is_taken_in_seconds_or_not_at_all(written: str, seconds: float) -> None:
    assert Answer(503, {"retry-after": written}).seconds(1.5) == seconds


def test_requests_and_answers_do_not_show_what_they_carry() -> None:
    request = Request("PATCH", "/Users/x", {"Authorization": "Bearer t0ken"}, b"S3cret")
    answer = Answer(200, {"x": "t0ken"}, {"newPassword": "S3cret"})

    assert "t0ken" not in repr(request) + repr(answer)
    assert "S3cret" not in repr(request) + repr(answer)


def test_an_authority_may_be_given_as_text(service: ScimDouble, authority: Authority) -> None:
    pem = authority.file.read_text(encoding="utf-8")
    found = from_settings({"base": service.base, "ca_pem": pem}, lambda: TOKEN)

    with found.connect() as connection:
        assert connection.find(ALICE) is not None
    assert pem not in repr(found)
