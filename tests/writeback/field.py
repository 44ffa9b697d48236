"""An agent as the product sees it, in the test's own process: it speaks the documented calls and
does with a job what the test tells it. The real agent has its own tests."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.test import Client

from accounts.models import User
from tenants.audit import Party
from tenants.heartbeat import SIGNER as SIGNER_NAME
from tenants.models import Heartbeat
from tests.cast import Organisation
from writeback.models import Agent, Connector, DirectoryLink
from writeback.protocol import (
    Job,
    Passwords,
    key_text,
    read_envelope,
    request_text,
    response_text,
)
from writeback.reports import Report, written
from writeback.services import enrolment, signing

ADMIN = Party("administrator", None, "carol@acme.example")
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SHARED_HOST = "localhost"


def make_connector(organisation: Organisation, name: str = "Head office") -> Connector:
    with organisation.inside():
        made: Connector = Connector.objects.create(name=name, kind=Connector.Kind.ACTIVE_DIRECTORY)
        return made


def link(organisation: Organisation, user: User, connector: Connector, anchor: str) -> None:
    """From now on the person's password is kept in this directory."""
    with organisation.inside():
        DirectoryLink.objects.create(user=user, connector=connector, anchor=anchor)
        if user.source == User.Source.CLOUD:
            user.source = User.Source.PASSWORD_HASH_SYNC
            user.save(update_fields=["source"])


def sign_what_waits(now: datetime) -> int:
    """The signer, one time."""
    return signing.drain(SIGNER, now)


@dataclass(frozen=True)
class Reply:
    """An answer of the product. signed: by the key that was pinned, for this very call."""

    status: int
    body: Any
    signed: bool


@dataclass
class Held:
    """A job in hand, opened."""

    job: Job
    fence: int
    passwords: Passwords = field(repr=False)


class FieldAgent:
    """One agent with its keys; `clock` is an object whose `now` is its time and the product's."""

    def __init__(self, clock: Any, host: str = SHARED_HOST) -> None:
        self.clock = clock
        self.client = Client(headers={"host": host})
        self.identity = Ed25519PrivateKey.generate()
        self.id = ""
        self.key = X25519PrivateKey.generate()
        self.pinned: Ed25519PublicKey | None = None
        self.told: Mapping[str, Any] = {}

    def call(self, path: str, body: Any, **changed: Any) -> Reply:
        """Makes a call; `changed` puts other values in place of its right ones: agent, time, nonce,
        signature, method, sent_body (instead of what was signed), sent_path (likewise)."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = changed.get("time", self.clock.now)
        nonce = changed.get("nonce", secrets.token_hex(16))
        full = f"/agent/v1/{path}"
        signed = self.identity.sign(request_text("POST", full, data, at, nonce))
        headers = {
            "Sspr-Agent": changed.get("agent", self.id),
            "Sspr-Time": str(int(at.timestamp())),
            "Sspr-Nonce": nonce,
            "Sspr-Signature": changed.get("signature", base64.b64encode(signed).decode()),
        }
        with time_machine.travel(self.clock.now, tick=False):
            response = self.client.generic(
                changed.get("method", "POST"),
                changed.get("sent_path", full),
                changed.get("sent_body", data),
                content_type=changed.get("content_type", "application/json"),
                headers=headers,
            )
        text = response.content
        found = json.loads(text) if text.startswith(b"{") else None
        return Reply(response.status_code, found, self._is_signed(response, nonce))

    def _is_signed(self, response: Any, nonce: str) -> bool:
        if self.pinned is None:
            return False
        signature = base64.b64decode(response.headers.get("Sspr-Signature", ""))
        text = response_text(nonce, response.status_code, response.content)
        try:
            self.pinned.verify(signature, text)
        except Exception:
            return False
        return True

    def enrol(self, code: str, **changed: Any) -> Reply:
        reply = self.call("enrol", {**self.newcomer(code), **changed})
        if reply.status == 201:
            self.told, self.id = reply.body, reply.body["agent"]
            self.pinned = Ed25519PublicKey.from_public_bytes(base64.b64decode(reply.body["api"]))
        return reply

    def newcomer(self, code: str) -> dict[str, Any]:
        public = self.identity.public_key().public_bytes_raw()
        return {
            "code": code,
            "identity": base64.b64encode(public).decode(),
            "name": "dc-proxy",
            "version": "0.1.0",
            "protocol": 1,
        }

    def beat(self, **changed: Any) -> Reply:
        return self.call("heartbeat", {**self.heartbeat(), **changed})

    def heartbeat(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "protocol": 1,
            "keys": [self.offered()],
            "directory": {"state": "ok", "trouble": ""},
            "rules": None,
            "sequence": 2**60,
            "journal": "sound",
            "begun": None,
        }

    def offered(self, begins: datetime | None = None, days: float = 1) -> dict[str, Any]:
        """The key of the day, as it is told."""
        begins = (begins or self.clock.now).astimezone(UTC).replace(microsecond=0)
        ends = begins + timedelta(days=days)
        public = self.key.public_key().public_bytes_raw()
        signature = self.identity.sign(key_text(UUID(self.id), public, begins, ends))
        return {
            "key": base64.b64encode(public).decode(),
            "begins": int(begins.timestamp()),
            "ends": int(ends.timestamp()),
            "signature": base64.b64encode(signature).decode(),
        }

    def take(self) -> Held | None:
        """The next job, if there is one now."""
        reply = self.call("jobs/next", {"wait": 0})
        if reply.status == 204:
            return None
        assert (reply.status, reply.signed) == (200, True), reply
        return self.opened(reply.body)

    def opened(self, handed: Mapping[str, Any]) -> Held:
        """A job as it was handed out, checked and opened as an agent does."""
        data = base64.b64decode(handed["envelope"])
        signers = {
            name: Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
            for name, key in self.told["signers"].items()
        }
        envelope = read_envelope(data, signers, self.clock.now)
        assert str(envelope.job.id) == handed["job"]
        return Held(envelope.job, handed["fence"], envelope.open(self.key))

    def report(self, held: Held, report: Report, **more: object) -> Reply:
        body = {"fence": held.fence, "report": written(report), **more}
        return self.call(f"jobs/{held.job.id}/result", body)

    def do(self, report: Report) -> Held:
        """Takes the job that has to be there and reports this of it."""
        held = self.take()
        assert held is not None
        assert self.report(held, report).status == 200
        return held


def keep_signer_at_work() -> None:
    """However much time passes in a test, the signer was at work a moment ago."""
    never_late = datetime(2100, 1, 1, tzinfo=UTC)
    Heartbeat.objects.update_or_create(name=SIGNER_NAME, defaults={"beat_at": never_late})


def make_agent(organisation: Organisation, connector: Connector, clock: Any) -> FieldAgent:
    """Enrolled, confirmed, and with a key of the day; the signer is at work."""
    keep_signer_at_work()
    agent = FieldAgent(clock)
    with organisation.inside():
        code = enrolment.make_code(connector, ADMIN, clock.now)
    assert agent.enrol(code).status == 201
    with organisation.inside():
        enrolment.confirm(UUID(agent.id), ADMIN, clock.now)
    assert agent.beat().status == 200
    return agent


def row_of(organisation: Organisation, agent: FieldAgent) -> Agent:
    with organisation.inside():
        found: Agent = Agent.objects.get(pk=agent.id)
        return found


DONE = Report("succeeded", changed=True, unlocked=True, controller="dc1", at=1)
RULES_REFUSE = Report("failed", "password_rules", controller="dc1", code="0000052D", at=1)
LOST = Report("unknown", "no_answer", controller="dc1", at=1)
