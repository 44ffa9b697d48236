"""The agent's calls to the product, signed both ways (docs/writeback.md).

What is not signed by the pinned key is no answer, whoever ended the TLS connection in between: an
agent never stops, and never does anything, because of a proxy's page.
"""

import json
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..protocol import SKEW, request_text, response_text
from .identity import decoded, encoded

PREFIX = "/agent/v1"
MAX_ANSWER = 128 * 1024
CONNECT = 5.0
ANSWER = 10.0
"""Seconds: to be connected, and to be answered beyond what was asked to be waited for."""
STATUSES = frozenset({200, 201, 204, 400, 401, 403, 404, 409, 413})


class NoAnswer(Exception):
    """The product did not answer, or what came is not its answer. The text says why, for a log."""


class ClockSkew(NoAnswer):
    """This machine's clock and the product's are too far apart for anything to be done (F-22)."""


class TurnedAway(Exception):
    """The product refused the call itself. cause: `unknown`, `revoked`, `signature`, `clock_skew`,
    `replayed`, `pending`, `code`, `upgrade_required` or what a newer product says."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True)
class Answer:
    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Speaker:
    """Who calls and whose answers are believed. api: nothing before the enrolment, where the answer
    names the key it is signed with."""

    private: Ed25519PrivateKey = field(repr=False)
    agent: UUID | None = None
    api: Ed25519PublicKey | None = None


class Client:
    """Calls of one agent. For several threads; nothing is sent over a connection whose certificate
    is not right, and no other way is tried (A-111)."""

    def __init__(
        self,
        product: str,
        speaker: Speaker,
        now: Callable[[], datetime],
        ca_file: Path | None = None,
        proxy: str = "",
    ) -> None:
        """Raises OSError for a file of authorities that can't be read."""
        self._speaker = speaker
        self._now = now
        self._http = httpx.Client(
            base_url=product,
            verify=ssl.create_default_context(cafile=str(ca_file) if ca_file else None),
            proxy=proxy or None,
            trust_env=False,
            timeout=httpx.Timeout(ANSWER, connect=CONNECT),
            headers={"Accept-Encoding": "identity", "Content-Type": "application/json"},
        )

    def close(self) -> None:
        self._http.close()

    def call(self, path: str, body: Mapping[str, Any], wait: float = 0) -> Answer:
        """The answer to a call, believed. wait: seconds the product may take on purpose. Raises
        NoAnswer and TurnedAway."""
        path, content = PREFIX + path, json.dumps(body).encode()
        nonce, at = secrets.token_hex(16), self._now()
        text = request_text("POST", path, content, at, nonce)
        headers = {
            "Sspr-Agent": str(self._speaker.agent or ""),
            "Sspr-Time": str(int(at.timestamp())),
            "Sspr-Nonce": nonce,
            "Sspr-Signature": encoded(self._speaker.private.sign(text)),
        }
        response, raw = self._sent(path, content, headers, wait)
        answer = self._believed(response, raw, nonce)
        if answer.status in {401, 403} or answer.body.get("error") == "upgrade_required":
            raise TurnedAway(str(answer.body.get("error", "")))
        return answer

    def _sent(
        self, path: str, content: bytes, headers: Mapping[str, str], wait: float
    ) -> tuple[httpx.Response, bytes]:
        timeout = httpx.Timeout(ANSWER, connect=CONNECT, read=ANSWER + wait)
        raw = bytearray()
        try:
            with self._http.stream(
                "POST", path, content=content, headers=headers, timeout=timeout
            ) as response:
                for part in response.iter_bytes():
                    raw += part
                    if len(raw) > MAX_ANSWER:
                        raise NoAnswer("the answer is too long")
        except httpx.HTTPError as error:
            raise NoAnswer(_reason(error)) from None
        return response, bytes(raw)

    def _believed(self, response: httpx.Response, raw: bytes, nonce: str) -> Answer:
        if response.status_code not in STATUSES:
            raise NoAnswer(f"status {response.status_code}")
        try:
            body = json.loads(raw) if raw else {}
            signature = decoded(response.headers.get("Sspr-Signature", ""))
            api = self._speaker.api or _find_named_key(body, response.status_code)
            if api is not None:
                api.verify(signature, response_text(nonce, response.status_code, raw))
            moment = datetime.fromtimestamp(int(response.headers["Sspr-Time"]), UTC)
        except InvalidSignature:
            raise NoAnswer("the answer is not signed by the product") from None
        except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
            raise NoAnswer("this is no answer of the product") from None
        if not isinstance(body, dict):
            raise NoAnswer("this is no answer of the product")
        if abs(moment - self._now()) > SKEW:
            raise ClockSkew(f"this clock and the product's differ: there it is {moment:%F %T} UTC")
        return Answer(response.status_code, body)


def _find_named_key(body: Any, status: int) -> Ed25519PublicKey | None:
    """Before the enrolment: the key that the answer itself names. A refusal names none, and is
    believed without, because it can only end the enrolment."""
    return Ed25519PublicKey.from_public_bytes(decoded(body["api"])) if status == 201 else None


def _reason(error: httpx.HTTPError) -> str:
    """What to look for in a log; of a certificate that was refused, why."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not to be believed: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
