"""What an agent takes for a job, and what it refuses (R-21, R-23)."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from writeback.protocol import (
    LIFETIME,
    MAX_ENVELOPE,
    OPERATIONS,
    PADDED_TO,
    SKEW,
    Job,
    Passwords,
    Refused,
    key_id,
    make_envelope,
    read_envelope,
    request_text,
)

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SIGNER, OTHER_SIGNER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
AGENT, OTHER_AGENT = X25519PrivateKey.generate(), X25519PrivateKey.generate()
SIGNERS = {key_id(SIGNER.public_key()): SIGNER.public_key()}
NEW = "Velvet-Kettle 93 é"
TYPED = Passwords(new=NEW)
JOB = Job(
    id=UUID(int=1),
    tenant=UUID(int=2),
    group=UUID(int=3),
    anchor="0c5e0e5c-8f0d-4c39-8e8f-3f1d1f1c9b11",
    operation="reset",
    evidence=bytes(range(32)),
    not_before=NOW,
    expires=NOW + LIFETIME,
    sequence=7,
    key=key_id(AGENT.public_key()),
)


def made(job: Job = JOB, passwords: Passwords = TYPED, **more: Any) -> bytes:
    return make_envelope(job, passwords, AGENT.public_key(), more.get("signer", SIGNER))


def refusal(data: bytes, now: datetime = NOW) -> str:
    with pytest.raises(Refused) as refused:
        read_envelope(data, SIGNERS, now).open(AGENT)
    return refused.value.cause


def changed(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The envelope with one of its parts changed, and no new signature."""
    parts = json.loads(data)
    parts[name] = base64.b64encode(change(base64.b64decode(parts[name]))).decode()
    return json.dumps(parts).encode()


def signed_again(fields: dict[str, Any], plain: bytes | None = None) -> bytes:
    """An envelope whose text has these fields changed, or with something else sealed in it, by
    somebody who holds the signer's key."""
    text = json.loads(JOB.text())
    text.update(fields)
    raw = json.dumps(
        {name: value for name, value in text.items() if value is not None},
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    sealed = base64.b64decode(json.loads(made())["sealed"])
    if plain is not None:
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        sealed = suite.encrypt(plain, AGENT.public_key(), info=raw)
    digest = hashlib.sha256(raw).digest() + hashlib.sha256(sealed).digest()
    return json.dumps(
        {
            "text": base64.b64encode(raw).decode(),
            "sealed": base64.b64encode(sealed).decode(),
            "signer": key_id(SIGNER.public_key()),
            "signature": base64.b64encode(SIGNER.sign(b"sspr-wb/1 job\n" + digest)).decode(),
        }
    ).encode()


PASSWORDS = {
    "reset": Passwords(new=NEW),
    "change": Passwords(new=NEW, old="Old one"),
    "unlock": Passwords(),
    "reset_and_unlock": Passwords(new=NEW),
    "verify": Passwords(old="Old one"),
    "describe": Passwords(),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_agent_reads_what_was_sealed_for_it(operation: Any) -> None:
    job = replace(JOB, operation=operation)

    envelope = read_envelope(made(job, PASSWORDS[operation]), SIGNERS, NOW)

    assert envelope.job == job
    assert envelope.open(AGENT) == PASSWORDS[operation]


@given(new=st.text(min_size=1, max_size=256), old=st.text(min_size=1, max_size=256))
def test_passwords_arrive_exactly_as_typed(new: str, old: str) -> None:
    passwords = Passwords(new, old)

    envelope = read_envelope(made(replace(JOB, operation="change"), passwords), SIGNERS, NOW)

    assert envelope.open(AGENT) == passwords


def test_the_length_of_an_envelope_tells_nothing_of_the_password() -> None:
    lengths = {len(made(passwords=Passwords(new="x" * size))) for size in (1, 8, 80, 256)}

    assert len(lengths) == 1
    assert len(made(passwords=Passwords(new="x" * PADDED_TO))) > lengths.pop()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("given_", PASSWORDS)
def test_a_job_with_the_passwords_of_another_operation_is_not_made(
    operation: Any, given_: str
) -> None:
    passwords = PASSWORDS[given_]
    if passwords == PASSWORDS[operation]:
        assert made(replace(JOB, operation=operation), passwords)
        return

    with pytest.raises(ValueError, match="belong together"):
        made(replace(JOB, operation=operation), passwords)


@pytest.mark.parametrize(
    "job",
    [
        replace(JOB, key="0" * 16),
        replace(JOB, evidence=b"short"),
        replace(JOB, expires=NOW + LIFETIME + timedelta(seconds=1)),
        replace(JOB, expires=NOW),
    ],
)
def test_what_no_agent_would_take_is_not_made(job: Job) -> None:
    with pytest.raises(ValueError, match="job"):
        made(job)


@pytest.mark.parametrize("name", ["text", "sealed", "signature"])
def test_a_changed_byte_is_noticed(name: str) -> None:
    def flip(raw: bytes) -> bytes:
        return bytes([*raw[:-1], raw[-1] ^ 1])

    assert refusal(changed(made(), name, flip)) == "bad_signature"


def test_what_is_sealed_can_not_be_moved_to_another_job() -> None:
    """Even by whoever holds the signer's key: the seal itself names its job."""
    assert refusal(signed_again({"job": str(UUID(int=9))})) == "not_sealed_for_this"
    assert refusal(signed_again({"anchor": "somebody-else"})) == "not_sealed_for_this"
    assert refusal(signed_again({"exp": int(NOW.timestamp()) + 299})) == "not_sealed_for_this"
    assert read_envelope(signed_again({}), SIGNERS, NOW).open(AGENT) == Passwords(new=NEW)


def test_nobody_but_a_pinned_signer_is_believed() -> None:
    assert refusal(made(signer=OTHER_SIGNER)) == "unknown_signer"
    forged = json.loads(made(signer=OTHER_SIGNER))
    forged["signer"] = key_id(SIGNER.public_key())
    assert refusal(json.dumps(forged).encode()) == "bad_signature"


def test_another_agents_key_opens_nothing() -> None:
    envelope = read_envelope(made(), SIGNERS, NOW)

    with pytest.raises(Refused, match="not_for_this_key"):
        envelope.open(OTHER_AGENT)


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "cause"),
    [
        (NOW - SKEW - SECOND, "too_early"),
        (NOW - SKEW, ""),
        (NOW + LIFETIME - SECOND, ""),
        (NOW + LIFETIME, "too_late"),
    ],
)
def test_a_job_is_good_from_its_start_to_its_end(now: datetime, cause: str) -> None:
    if not cause:
        assert read_envelope(made(), SIGNERS, now).job == JOB
        return

    assert refusal(made(), now) == cause


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"v": 2}, "unknown_version"),
        ({"op": "delete"}, "unknown_operation"),
        ({"exp": int(NOW.timestamp()) + 301}, "lifetime"),
        ({"exp": int(NOW.timestamp())}, "lifetime"),
        ({"tenant": "nobody"}, "malformed"),
        ({"tenant": 7}, "malformed"),
        ({"exp": 10**40}, "malformed"),
        ({"seq": "7"}, "malformed"),
        ({"evidence": "zz"}, "malformed"),
        ({"more": 1}, "malformed"),
        ({"kid": None}, "malformed"),
    ],
)
def test_a_signed_text_that_is_no_job_is_refused(fields: dict[str, Any], cause: str) -> None:
    assert refusal(signed_again(fields)) == cause


@pytest.mark.parametrize(
    ("plain", "cause"),
    [
        (b'{"new": null, "old": null}', "malformed"),
        (b'{"new": "x", "old": "y"}', "malformed"),
        (b"{}", "not_sealed_for_this"),
        (b"[]", "not_sealed_for_this"),
        (b"\xff", "not_sealed_for_this"),
    ],
)
def test_what_is_sealed_must_be_what_the_operation_needs(plain: bytes, cause: str) -> None:
    assert refusal(signed_again({}, plain)) == cause


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 60_000,
        made()[:-1],
        made().replace(b'"signer"', b'"signed"'),
        changed(made(), "signature", lambda raw: raw).replace(b'"text": "', b'"text": "*'),
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    assert refusal(data) == "malformed"


def test_a_huge_envelope_is_refused_unread() -> None:
    assert refusal(b" " * MAX_ENVELOPE + made()) == "too_large"


def test_nothing_shows_a_password() -> None:
    envelope = read_envelope(made(), SIGNERS, NOW)

    assert NEW not in repr(envelope.open(AGENT)) + repr(envelope) + repr(JOB)
    assert NEW.encode() not in made()


def test_every_part_of_a_call_is_in_what_is_signed() -> None:
    whole = ("POST", "/agent/jobs/", b"{}", NOW, "n1")
    texts = {
        request_text(*whole),
        request_text("GET", *whole[1:]),
        request_text("POST", "/agent/", *whole[2:]),
        request_text("POST", "/agent/jobs/", b"[]", NOW, "n1"),
        request_text("POST", "/agent/jobs/", b"{}", NOW + SECOND, "n1"),
        request_text(*whole[:4], "n2"),
    }

    assert len(texts) == 6
    assert request_text("post", *whole[1:]) == request_text(*whole)
