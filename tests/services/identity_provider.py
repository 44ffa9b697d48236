"""An OpenID Connect provider on loopback, of its real shape: discovery, keys, codes, signatures.

Whoever arrives is signed in at once as `subject`. What it does wrong is set on it.
"""

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "sspr-at-partner", "a secret of the partner's"


class IdentityProviderDouble:
    """claims: what an ID token says otherwise. alg: how it is signed. answer: what an authorization
    response says otherwise; a value of nothing leaves a name out."""

    def __init__(self) -> None:
        self.subject = "248289761001"
        self.claims: dict[str, Any] = {}
        self.answer: dict[str, str | None] = {}
        self.document: dict[str, Any] = {}
        self.alg = "RS256"
        self.asked: list[dict[str, str]] = []
        self.fetched: list[str] = []
        self._key = RSAKey.generate_key(2048, auto_kid=True)
        self._signs_with = self._key
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _server(self))
        self._server.daemon_threads = True
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def sign_with_a_stranger(self) -> None:
        """From now on with a key that is published nowhere, under the published name."""
        stranger = RSAKey.generate_key(2048).as_pem(private=True)
        self._signs_with = RSAKey.import_key(stranger, {"kid": str(self._key.kid)})

    def rotate(self) -> None:
        """From now on with a new key, which is published."""
        self._key = self._signs_with = RSAKey.generate_key(2048, auto_kid=True)

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.fetched.append(path)
        if path == "/.well-known/openid-configuration":
            return self._json(self._configuration())
        if path == "/keys":
            public = {**self._key.as_dict(private=False), "use": "sig"}
            return self._json({"keys": [public, {"kty": "future", "kid": "x"}]})
        if path == "/authorize":
            return 302, {"Location": self._authorized(query)}, b""
        return 404, {}, b""

    def post(
        self, path: str, headers: dict[str, str], form: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        self.fetched.append(path)
        asked = self._codes.pop(form.get("code", ""), None)
        if path != "/token" or asked is None or not self._is_client(headers, form):
            return self._json({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        same = form.get("redirect_uri") == asked["redirect_uri"]
        if not same or challenge != asked["code_challenge"]:
            return self._json({"error": "invalid_grant"}, 400)
        return self._json({"access_token": "at", "id_token": self._id_token(asked)})

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }

    def _authorized(self, query: dict[str, str]) -> str:
        self.asked.append(query)
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        told = {"code": code, "state": query["state"], "iss": self.issuer, **self.answer}
        kept = {name: value for name, value in told.items() if value is not None}
        return f"{query['redirect_uri']}?{urlencode(kept)}"

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": asked.get("nonce"),
            "email": "alice@acme.example",
            "email_verified": True,
            **self.claims,
        }
        claims = {name: value for name, value in said.items() if value is not None}
        if self.alg == "none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.alg == "HS256":
            shared = OctKey.import_key(CLIENT_SECRET.encode())
            return jwt.encode({"alg": "HS256"}, claims, shared)
        header = {"alg": self.alg, "kid": self._key.kid}
        return jwt.encode(header, claims, self._signs_with, algorithms=[self.alg])

    def _is_client(self, headers: dict[str, str], form: dict[str, str]) -> bool:
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind != "Basic":
            sent = (form.get("client_id"), form.get("client_secret"))
        else:
            name, _, secret = base64.b64decode(value).decode().partition(":")
            sent = (unquote(name), unquote(secret))
        return sent == (CLIENT_ID, CLIENT_SECRET)

    def _json(self, value: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _server(double: IdentityProviderDouble) -> type[BaseHTTPRequestHandler]:
    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: value[0] for name, value in parse_qs(parts.query).items()}
            self._send(*double.get(parts.path, query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: value[0] for name, value in parse_qs(body).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(*double.post(self.path, headers, form))

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    return Provider
