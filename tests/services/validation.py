"""A validation server for YubiKeys, of the published shape (protocol 2.0), on loopback."""

import base64
import hashlib
import hmac
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CLIENT = "4711"
KEY = base64.b64encode(b"key of the client 20").decode()


def signed(parameters: dict[str, str]) -> str:
    text = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
    key = base64.b64decode(KEY)
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest()).decode()


class ValidationServer:
    """Answers `status` to every rightly signed request, and REPLAYED_OTP to a touch it knows.

    forge: what is changed in the answer after it was signed; delay: seconds before it comes.
    """

    def __init__(self) -> None:
        self.status = "OK"
        self.forge: dict[str, str] = {}
        self.delay = 0.0
        self.asked: list[dict[str, str]] = []
        self._known: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/wsapi/2.0/verify"

    def __enter__(self) -> "ValidationServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked: dict[str, str]) -> bytes:
        given = {name: value for name, value in asked.items() if name != "h"}
        right = asked.get("h") == signed(given) and asked.get("id") == CLIENT
        status = self.status if right else "BAD_SIGNATURE"
        if status == "OK" and asked["otp"] in self._known:
            status = "REPLAYED_OTP"
        self._known.add(asked["otp"])
        answer = {
            "t": "2026-11-20T09:30:00Z0123",
            "status": status,
            "otp": asked["otp"],
            "nonce": asked["nonce"],
            "sl": "100",
        }
        answer = {"h": signed(answer), **answer, **self.forge}
        return "".join(f"{name}={value}\r\n" for name, value in answer.items()).encode()

    def _answering(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                asked = {name: values[0] for name, values in query.items()}
                server.asked.append(asked)
                time.sleep(server.delay)
                body = server.answer(asked)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        return Answering
