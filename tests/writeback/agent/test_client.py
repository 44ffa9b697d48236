"""An agent's calls: only the product itself can answer them, whoever stands in between."""

import base64
import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from tests.services.ports import free_port
from tests.writeback.agent.certificates import Authority
from tests.writeback.agent.conftest import Serve
from tests.writeback.agent.product import Product, Said
from writeback.agent.client import MAX_ANSWER, Client, ClockSkew, NoAnswer, Speaker, TurnedAway

BEAT = {"sequence": 1}
IDENTITY = Ed25519PrivateKey.generate()
Connect = Callable[..., Client]


@pytest.fixture
def connect(authority: Authority) -> Iterator[Connect]:
    """A client of an enrolled agent."""
    opened: list[Client] = []

    def made(product: Product, address: str = "", **changes: Any) -> Client:
        agent = product.add_agent(IDENTITY.public_key())
        speaker = Speaker(IDENTITY, agent, product.api.public_key())
        given = {
            "product": address or product.url,
            "speaker": speaker,
            "now": timezone.now,
            "ca_file": authority.path,
            **changes,
        }
        opened.append(Client(**given))
        return opened[-1]

    yield made
    for client in opened:
        client.close()


def test_a_call_is_signed_and_answered(product: Product, connect: Connect) -> None:
    client = connect(product)

    first, second = client.call("/heartbeat", BEAT), client.call("/heartbeat", BEAT)

    assert (first.status, first.body["state"], second.status) == (200, "active", 200)
    assert product.heartbeats == [BEAT, BEAT]


def test_an_answer_without_a_body_is_one(product: Product, connect: Connect) -> None:
    product.waits = 0.01

    answer = connect(product).call("/jobs/next", {"wait": 1}, wait=1)

    assert (answer.status, answer.body) == (204, {})


@pytest.mark.parametrize(
    ("turn_away", "cause"),
    [
        ((401, "revoked"), "revoked"),
        ((403, "pending"), "pending"),
        ((409, "upgrade_required"), "upgrade_required"),
    ],
)
def test_what_the_product_refuses_is_told_by_its_cause(
    product: Product, connect: Connect, turn_away: tuple[int, str], cause: str
) -> None:
    product.turn_away = turn_away

    with pytest.raises(TurnedAway) as refused:
        connect(product).call("/heartbeat", BEAT)

    assert refused.value.cause == cause


def test_a_call_in_another_s_name_is_refused(product: Product, connect: Connect) -> None:
    agent = product.add_agent(Ed25519PrivateKey.generate().public_key())
    speaker = Speaker(IDENTITY, agent, product.api.public_key())

    with pytest.raises(TurnedAway, match="signature"):
        connect(product, speaker=speaker).call("/heartbeat", BEAT)
    with pytest.raises(TurnedAway, match="unknown"):
        connect(product, speaker=replace(speaker, agent=UUID(int=9))).call("/heartbeat", BEAT)


class Certificates:
    """What a server shows, each wrong in one way."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        other = Authority(folder, "other", timezone.now())
        self.wrong = {
            "another authority": other.issue("127.0.0.1"),
            "self-signed": authority.issue_self_signed("127.0.0.1"),
            "expired": authority.issue("127.0.0.1", timedelta(days=-1)),
            "another name": authority.issue("reset.example.com"),
        }


@pytest.mark.parametrize("what", ["another authority", "self-signed", "expired", "another name"])
def test_a_server_with_a_wrong_certificate_is_told_nothing(
    serve: Serve, authority: Authority, connect: Connect, tmp_path: Path, what: str
) -> None:
    product = serve(Certificates(authority, tmp_path).wrong[what])

    with pytest.raises(NoAnswer, match="certificate is not to be believed"):
        connect(product).call("/heartbeat", BEAT)

    assert product.calls == []


def test_an_authority_that_only_others_trust_is_not_trusted(
    product: Product, connect: Connect
) -> None:
    with pytest.raises(NoAnswer, match="certificate"):
        connect(product, ca_file=None).call("/heartbeat", BEAT)
    assert product.calls == []


def test_no_other_way_is_tried_when_tls_fails(serve: Serve, connect: Connect) -> None:
    plain = serve(None)

    with pytest.raises(NoAnswer):
        connect(plain, plain.url.replace("http:", "https:")).call("/heartbeat", BEAT)
    assert plain.calls == []


def test_nobody_there_is_no_answer(product: Product, connect: Connect) -> None:
    with pytest.raises(NoAnswer):
        connect(product, f"https://127.0.0.1:{free_port()}").call("/heartbeat", BEAT)
    product.is_down.set()
    with pytest.raises(NoAnswer):
        connect(product).call("/heartbeat", BEAT)


def _by_a_stranger(said: Said) -> Said:
    signature = Ed25519PrivateKey.generate().sign(said.body)
    return replace(said, signature=base64.b64encode(signature).decode())


TAMPERED: dict[str, Callable[[Said], Said]] = {
    "no signature": lambda said: replace(said, signature=""),
    "no base64": lambda said: replace(said, signature="=="),
    "a stranger's": _by_a_stranger,
    "another body": lambda said: replace(said, body=said.body.replace(b"active", b"actives")),
    "another status": lambda said: replace(said, status=409),
    "revoked by a proxy": lambda said: replace(said, status=401, body=b'{"error":"revoked"}'),
    "a proxy's page": lambda said: Said(200, b"<html>Sign in</html>", said.at),
    "a proxy's fault": lambda said: replace(said, status=502),
    "somewhere else": lambda said: replace(said, status=302, more={"Location": "/other"}),
    "no time": lambda said: replace(said, at=10**30),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_the_product_did_not_say_is_no_answer(
    product: Product, connect: Connect, what: str
) -> None:
    client = connect(product)
    product.tamper = TAMPERED[what]
    with pytest.raises(NoAnswer):
        client.call("/heartbeat", BEAT)

    product.tamper = lambda said: said
    assert client.call("/heartbeat", BEAT).status == 200


def test_an_answer_to_another_call_is_no_answer(product: Product, connect: Connect) -> None:
    kept: list[Said] = []
    client = connect(product)
    product.tamper = lambda said: kept.append(said) or said  # type: ignore[func-returns-value]
    client.call("/heartbeat", BEAT)

    product.tamper = lambda said: kept[0]
    with pytest.raises(NoAnswer, match="not signed"):
        client.call("/heartbeat", BEAT)


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b"7"])
def test_a_signed_answer_that_is_no_object_is_none(
    product: Product, connect: Connect, body: bytes
) -> None:
    product.tamper = lambda said: product.signed(replace(said, body=body))

    with pytest.raises(NoAnswer):
        connect(product).call("/heartbeat", BEAT)


@pytest.mark.parametrize("is_packed", [False, True])
def test_an_endless_answer_is_cut_off(product: Product, connect: Connect, is_packed: bool) -> None:
    big = b"{" + b" " * MAX_ANSWER + b"}"
    more = {"Content-Encoding": "gzip"} if is_packed else {}
    body = gzip.compress(big) if is_packed else big
    product.tamper = lambda said: replace(said, body=body, more=more)

    with pytest.raises(NoAnswer, match="too long"):
        connect(product).call("/heartbeat", BEAT)


@pytest.mark.parametrize(("off", "is_believed"), [(110, True), (130, False), (-130, False)])
def test_clocks_that_are_too_far_apart_end_the_talk(
    product: Product, connect: Connect, off: int, is_believed: bool
) -> None:
    product.clock_off = off
    client = connect(product)

    if is_believed:
        assert client.call("/heartbeat", BEAT).status == 200
    else:
        with pytest.raises(ClockSkew, match="clock"):
            client.call("/heartbeat", BEAT)


def test_before_the_enrolment_the_key_that_the_answer_names_signs_it(
    product: Product, connect: Connect
) -> None:
    client = connect(product, speaker=Speaker(IDENTITY))
    public = base64.b64encode(IDENTITY.public_key().public_bytes_raw()).decode()
    body = {"code": "good-code", "identity": public, "name": "a", "version": "1", "protocol": 1}

    with pytest.raises(TurnedAway, match="code"):
        client.call("/enrol", {**body, "code": "bad"})
    product.tamper = lambda said: replace(said, body=said.body.replace(b"agent", b"Agent"))
    with pytest.raises(NoAnswer, match="not signed"):
        client.call("/enrol", body)
    product.tamper = lambda said: said
    product.codes.add("good-code")
    assert client.call("/enrol", body).status == 201


def test_a_proxy_of_the_environment_is_not_used(
    product: Product, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert connect(product).call("/heartbeat", BEAT).status == 200
    with pytest.raises(NoAnswer):
        connect(product, proxy=f"http://127.0.0.1:{free_port()}").call("/heartbeat", BEAT)


def test_a_speaker_does_not_show_its_key() -> None:
    assert "private" not in repr(Speaker(IDENTITY))
