"""PURE. What the product and an agent say to each other: sealed, signed jobs (R-21, R-23).

An agent believes nothing but a job's own signed text. The text names the tenant, the person's
permanent id in the directory, the operation and when it ends; what is secret in it is sealed to
the agent's key of the day with exactly this text, so that a sealed password can't be moved to
another job. The signer's key is not in the database, nor is the agent's.

This module is installed with the agent, so it knows nothing of Django and nothing of the product.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

Operation = Literal["reset", "change", "unlock", "reset_and_unlock", "verify", "describe"]
OPERATIONS: tuple[Operation, ...] = (
    "reset",
    "change",
    "unlock",
    "reset_and_unlock",
    "verify",
    "describe",
)
NEEDS_NEW = frozenset({"reset", "change", "reset_and_unlock"})
NEEDS_OLD = frozenset({"change", "verify"})
CHANGES: frozenset[str] = frozenset({"reset", "change", "unlock", "reset_and_unlock"})
"""What changes something in the directory; the others only ask."""
UNLOCKS: frozenset[str] = frozenset({"unlock", "reset_and_unlock"})

VERSION = 1
MAX_BEGUN = 200
"""How many jobs the first heartbeat of an agent names."""
LIFETIME = timedelta(seconds=300)
SKEW = timedelta(seconds=120)
MAX_ENVELOPE = 64 * 1024
PADDED_TO = 2048
"""Bytes: what is sealed is filled up to a multiple, so that its length tells of no password."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_SIGNED = b"sspr-wb/1 job\n"
_FIELDS = {
    "v",
    "job",
    "tenant",
    "group",
    "anchor",
    "op",
    "must_change",
    "evidence",
    "nbf",
    "exp",
    "seq",
    "kid",
}

Cause = Literal[
    "too_large",
    "malformed",
    "unknown_signer",
    "bad_signature",
    "unknown_version",
    "unknown_operation",
    "lifetime",
    "too_early",
    "too_late",
    "not_for_this_key",
    "not_sealed_for_this",
]


class Refused(Exception):
    """A job that nobody may act on. `cause` is one of a fixed list and names no content."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True)
class Job:
    """What is to be done. anchor: the person's permanent id in the directory (Active Directory:
    objectGUID as text); evidence: 32 bytes, hash over the proofs of the journey; key: id of the
    agent's key the secrets are sealed to; sequence: counts a tenant's jobs; must_change: the person
    has to choose another password at the next sign-in."""

    id: UUID
    tenant: UUID
    group: UUID
    anchor: str
    operation: Operation
    evidence: bytes
    not_before: datetime
    expires: datetime
    sequence: int
    key: str
    must_change: bool = False

    def text(self) -> bytes:
        """The one text of this job: signed as it is, and bound to what is sealed in it."""
        fields = {
            "v": VERSION,
            "job": str(self.id),
            "tenant": str(self.tenant),
            "group": str(self.group),
            "anchor": self.anchor,
            "op": self.operation,
            "must_change": self.must_change,
            "evidence": self.evidence.hex(),
            "nbf": int(self.not_before.timestamp()),
            "exp": int(self.expires.timestamp()),
            "seq": self.sequence,
            "kid": self.key,
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Passwords:
    """What a job carries in secret, exactly as typed; nothing where the operation needs none."""

    new: str | None = field(default=None, repr=False)
    old: str | None = field(default=None, repr=False)


def key_id(key: X25519PublicKey | Ed25519PublicKey) -> str:
    """A short name of a public key: 16 hex digits of its SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def seal_job(job: Job, passwords: Passwords, agent_key: X25519PublicKey) -> bytes:
    """What the job carries in secret, for this agent alone and bound to the job's whole text.

    Raises ValueError for a job that every agent would refuse.
    """
    if job.key != key_id(agent_key):
        raise ValueError("the job names another key than the one it is sealed to")
    if not _carries_what_it_needs(job.operation, passwords):
        raise ValueError("the operation and its passwords do not belong together")
    if len(job.evidence) != hashlib.sha256().digest_size or not _is_short(job):
        raise ValueError("no such job")
    return _SUITE.encrypt(_filled(passwords), agent_key, info=job.text())


def sign_job(text: bytes, sealed: bytes, signer: Ed25519PrivateKey) -> bytes:
    """The job as it travels. text: of the job it was sealed for."""
    envelope = {
        "text": _b64(text),
        "sealed": _b64(sealed),
        "signer": key_id(signer.public_key()),
        "signature": _b64(signer.sign(_signed(text, sealed))),
    }
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def make_envelope(
    job: Job, passwords: Passwords, agent_key: X25519PublicKey, signer: Ed25519PrivateKey
) -> bytes:
    """Both in one, where sealing and signing are in one hand. Raises like `seal_job`."""
    return sign_job(job.text(), seal_job(job, passwords, agent_key), signer)


@dataclass(frozen=True)
class Envelope:
    """A job whose signature and time were found right; its passwords are still sealed."""

    job: Job
    sealed: bytes = field(repr=False)

    def open(self, key: X25519PrivateKey) -> Passwords:
        """Raises Refused when this key is not the one, or the seal belongs to another job."""
        if self.job.key != key_id(key.public_key()):
            raise Refused("not_for_this_key")
        try:
            plain = _SUITE.decrypt(self.sealed, key, info=self.job.text())
            found = json.loads(plain)
            passwords = Passwords(found["new"], found["old"])
        except (InvalidTag, ValueError, KeyError, TypeError):
            raise Refused("not_sealed_for_this") from None
        if not _carries_what_it_needs(self.job.operation, passwords):
            raise Refused("malformed")
        return passwords


def read_envelope(data: bytes, signers: Mapping[str, Ed25519PublicKey], now: datetime) -> Envelope:
    """Checks size, signature and time, in this order. `signers` are the pinned keys by their ids.

    What depends on the agent's own memory (journal, allowed places, hourly cap) is not known here.
    Raises Refused.
    """
    if len(data) > MAX_ENVELOPE:
        raise Refused("too_large")
    parts = _object(data, {"text", "sealed", "signer", "signature"})
    text, sealed, signature = (_bytes(parts[name]) for name in ("text", "sealed", "signature"))
    signer = signers.get(str(parts["signer"]))
    if signer is None:
        raise Refused("unknown_signer")
    try:
        signer.verify(signature, _signed(text, sealed))
    except InvalidSignature:
        raise Refused("bad_signature") from None
    job = read_job(text)
    if not _is_short(job):
        raise Refused("lifetime")
    if now < job.not_before - SKEW:
        raise Refused("too_early")
    if now >= job.expires:
        raise Refused("too_late")
    return Envelope(job, sealed)


def request_text(method: str, path: str, body: bytes, at: datetime, nonce: str) -> bytes:
    """What an agent signs with its own key on every call, so that a proxy can't speak for it."""
    digest = hashlib.sha256(body).hexdigest()
    lines = ["sspr-wb/1 request", method.upper(), path, digest, str(int(at.timestamp())), nonce]
    return "\n".join(lines).encode()


def response_text(nonce: str, status: int, body: bytes) -> bytes:
    """What the product signs of its answer to the call with this nonce: nobody in between can
    answer for it, and no answer fits another call."""
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join(["sspr-wb/1 response", nonce, str(status), digest]).encode()


def key_text(agent: UUID, public: bytes, begins: datetime, ends: datetime) -> bytes:
    """What an agent signs with its identity about a key of the day that jobs are sealed to."""
    parts = [str(agent), public.hex(), str(int(begins.timestamp())), str(int(ends.timestamp()))]
    return "\n".join(["sspr-wb/1 key", *parts]).encode()


def successor_text(public: bytes) -> bytes:
    """What a signer signs about the key that jobs are signed with after its own."""
    return b"sspr-wb/1 next signer\n" + public


def _is_short(job: Job) -> bool:
    return timedelta(0) < job.expires - job.not_before <= LIFETIME


def _carries_what_it_needs(operation: Operation, passwords: Passwords) -> bool:
    given = (bool(passwords.new), bool(passwords.old))
    return given == (operation in NEEDS_NEW, operation in NEEDS_OLD)


def _signed(text: bytes, sealed: bytes) -> bytes:
    return _SIGNED + hashlib.sha256(text).digest() + hashlib.sha256(sealed).digest()


def _filled(passwords: Passwords) -> bytes:
    plain = json.dumps({"new": passwords.new, "old": passwords.old}).encode()
    return plain.ljust(-(-len(plain) // PADDED_TO) * PADDED_TO)


def read_job(text: bytes) -> Job:
    """The job of a text. Raises Refused for any other text."""
    fields = _object(text, _FIELDS)
    if fields["v"] != VERSION:
        raise Refused("unknown_version")
    if fields["op"] not in OPERATIONS:
        raise Refused("unknown_operation")
    try:
        job = Job(
            id=UUID(fields["job"]),
            tenant=UUID(fields["tenant"]),
            group=UUID(fields["group"]),
            anchor=str(fields["anchor"]),
            operation=fields["op"],
            evidence=bytes.fromhex(fields["evidence"]),
            not_before=datetime.fromtimestamp(fields["nbf"], UTC),
            expires=datetime.fromtimestamp(fields["exp"], UTC),
            sequence=int(fields["seq"]),
            key=str(fields["kid"]),
            must_change=bool(fields["must_change"]),
        )
    except (ValueError, TypeError, AttributeError, OverflowError, OSError):
        raise Refused("malformed") from None
    # Two texts of one job would be two signatures of one meaning.
    if job.text() != text:
        raise Refused("malformed")
    return job


def _object(data: bytes, names: set[str]) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("malformed") from None
    if not isinstance(found, dict) or set(found) != names:
        raise Refused("malformed")
    return found


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError:
        raise Refused("malformed") from None
