"""The product's side of an agent's calls, on loopback, to the letter of docs/writeback.md.

It hands out what a test puts in its line, and keeps whatever an agent said. `tamper` changes an
answer on its way, as somebody in between would.
"""

import base64
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Lock
from typing import Any
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from tests.services.loopback import LoopbackService
from tests.writeback.bench import JOB
from writeback.protocol import (
    Job,
    Passwords,
    key_id,
    key_text,
    make_envelope,
    request_text,
    response_text,
    successor_text,
)
from writeback.words import fingerprint


@dataclass(frozen=True)
class Said:
    """An answer before it leaves. at: Unix seconds of the product's clock."""

    status: int
    body: bytes
    at: int
    nonce: str = ""
    signature: str = ""
    more: dict[str, str] = field(default_factory=dict)


Tamper = Callable[[Said], Said]


class Product(LoopbackService):
    """turn_away: a status and a cause that every call of an enrolled agent is refused with.
    is_down: no call arrives; is_deaf: no result does; waiting: calls that wait for a job."""

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(_Receiver, _shown(certificate) if certificate else None)
        self.api, self.signer = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.codes = {"good-code"}
        self.agents: dict[str, Ed25519PublicKey] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.results: list[tuple[UUID, int, dict[str, Any]]] = []
        self.fences: dict[UUID, int] = {}
        self.line: Queue[dict[str, Any]] = Queue()
        self.turn_away: tuple[int, str] | None = None
        self.tamper: Tamper = lambda said: said
        self.seen_sequence = 0
        self.named: list[dict[str, str]] = []
        self.waiting = 0
        self.is_down = Event()
        self.is_deaf = Event()
        self.waits = 1.0
        self.clock_off = 0
        self._nonces: set[str] = set()
        self._lock = Lock()

    def add_agent(self, identity: Ed25519PublicKey) -> UUID:
        agent = uuid4()
        self.agents[str(agent)] = identity
        return agent

    def replace_signer(self) -> None:
        """Jobs are signed with another key from now on, which the one before has named."""
        successor = Ed25519PrivateKey.generate()
        public = successor.public_key().public_bytes_raw()
        signature = self.signer.sign(successor_text(public))
        name = {"key": public, "signature": signature}
        self.named.append({field: base64.b64encode(data).decode() for field, data in name.items()})
        self.signer = successor

    def sealing_key(self) -> X25519PublicKey:
        """The newest key the agent told, whose signature is right."""
        offered = self.heartbeats[-1]["keys"][-1]
        public = base64.b64decode(offered["key"])
        begins, ends = (datetime.fromtimestamp(offered[name], UTC) for name in ("begins", "ends"))
        for agent, identity in self.agents.items():
            text = key_text(UUID(agent), public, begins, ends)
            identity.verify(base64.b64decode(offered["signature"]), text)
        return X25519PublicKey.from_public_bytes(public)

    def hand_out(self, job: Job, passwords: Passwords, fence: int = 1) -> None:
        """Seals a job to the agent and puts it in line."""
        key = self.sealing_key()
        envelope = make_envelope(replace(job, key=key_id(key)), passwords, key, self.signer)
        self.put(job.id, fence, envelope)

    def put(self, job: UUID, fence: int, envelope: bytes) -> None:
        self.fences[job] = fence
        self.line.put(
            {
                "job": str(job),
                "fence": fence,
                "lease": 30,
                "envelope": base64.b64encode(envelope).decode(),
            }
        )

    def reports_of(self, job: UUID) -> list[dict[str, Any]]:
        with self._lock:
            return [report for one, _, report in self.results if one == job]

    def answer(self, path: str, headers: Any, body: bytes) -> Said:
        """What is said to a call, signed."""
        status, found = self._found(path, headers, body)
        raw = b"" if found is None else json.dumps(found).encode()
        at = int(time.time()) + self.clock_off
        return self.signed(Said(status, raw, at, headers["Sspr-Nonce"]))

    def signed(self, said: Said) -> Said:
        """As the product itself would sign it."""
        signature = self.api.sign(response_text(said.nonce, said.status, said.body))
        return replace(said, signature=base64.b64encode(signature).decode())

    def _found(self, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, Any] | None]:
        data = json.loads(body)
        with self._lock:
            self.calls.append((path, data))
        if path == "/agent/v1/enrol":
            return self._enrolled(path, headers, body, data)
        identity = self.agents.get(headers["Sspr-Agent"])
        if identity is None:
            return 401, {"error": "unknown"}
        if not self._is_signed(identity, path, headers, body):
            return 401, {"error": "signature"}
        if self.turn_away is not None:
            return self.turn_away[0], {"error": self.turn_away[1]}
        return self._served(path, data)

    def _is_signed(self, key: Ed25519PublicKey, path: str, headers: Any, body: bytes) -> bool:
        at = datetime.fromtimestamp(int(headers["Sspr-Time"]), UTC)
        nonce = headers["Sspr-Nonce"]
        text = request_text("POST", path, body, at, nonce)
        with self._lock:
            is_new = nonce not in self._nonces
            self._nonces.add(nonce)
        try:
            key.verify(base64.b64decode(headers["Sspr-Signature"]), text)
        except InvalidSignature:
            return False
        return is_new and len(nonce) == 32

    def _enrolled(
        self, path: str, headers: Any, body: bytes, data: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        identity = Ed25519PublicKey.from_public_bytes(base64.b64decode(data["identity"]))
        if not self._is_signed(identity, path, headers, body) or headers["Sspr-Agent"]:
            return 401, {"error": "signature"}
        if data["code"] not in self.codes:
            return 403, {"error": "code"}
        self.codes.remove(data["code"])
        signer = self.signer.public_key()
        return 201, {
            "agent": str(self.add_agent(identity)),
            "tenant": str(JOB.tenant),
            "group": str(JOB.group),
            "signers": {key_id(signer): base64.b64encode(signer.public_bytes_raw()).decode()},
            "api": base64.b64encode(self.api.public_key().public_bytes_raw()).decode(),
            "words": list(fingerprint(identity.public_bytes_raw())),
        }

    def _next(self, seconds: float) -> tuple[int, dict[str, Any] | None]:
        with self._lock:
            self.waiting += 1
        try:
            return 200, self.line.get(timeout=seconds)
        except Empty:
            return 204, None
        finally:
            with self._lock:
                self.waiting -= 1

    def _served(self, path: str, data: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        if path == "/agent/v1/heartbeat":
            with self._lock:
                self.heartbeats.append(data)
            seen = max(self.seen_sequence, data["sequence"])
            return 200, {
                "state": "active",
                "seen_sequence": seen,
                "time": int(time.time()),
                "signers": self.named,
            }
        if path == "/agent/v1/jobs/next":
            return self._next(min(data["wait"], self.waits))
        job = UUID(path.split("/")[4])
        with self._lock:
            self.results.append((job, data["fence"], data["report"]))
        is_newest = data["fence"] == self.fences.get(job, data["fence"])
        following = {"next": self.line.get_nowait()} if data["next"] and self.line.qsize() else {}
        return 200 if is_newest else 409, {"accepted": is_newest, **following}


def _shown(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class _Receiver(BaseHTTPRequestHandler):
    service: Product
    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_POST(self) -> None:
        product = self.service
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_lost = product.is_deaf.is_set() and self.path.endswith("/result")
        if is_lost or product.is_down.is_set():
            self.close_connection = True
            return
        said = product.tamper(product.answer(self.path, self.headers, body))
        self.send_response(said.status)
        self.send_header("Sspr-Signature", said.signature)
        self.send_header("Sspr-Time", str(said.at))
        self.send_header("Content-Length", str(len(said.body)))
        for name, value in said.more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: what was said is in the product."""
