"""An attacker's browser on one host: real sockets, real forms, and every liberty in between.

`Browser` keeps cookies and the form's protection like a browser does; its verbs are the steps of a
journey (`start`, `choose`, `send`, `verify`, `submit`, `cancel`, `status`). They go to the
addresses directly, whether or not the page offers the step, because that is what an attacker does:

    thief = lab.browser()                      # acme's own host, an address of its own
    thief.start("bob@acme.example")            # loads the page, solves the captcha, follows
    thief.verify("000000").status              # the POST's answer; `thief.page` where it led

Every POST returns its own answer; where that redirects, the browser follows by GET and keeps the
page in `shown`. `post(path, pairs, …)` sends any fields (a dict, pairs with repeats, or bytes),
`request(method, path, …)` anything httpx can, and `Wire.raw(bytes)` what it can't: two Host
headers, absolute addresses, bytes that are no text. All of it lands in the journal.
"""

import http.client
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.cookies import SimpleCookie
from threading import Lock
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx

from tests.resets.visitor import Page
from tests.security.lab.captcha import challenge_of, ripe_ticket, solve
from tests.security.lab.server import PROXY

FLOW_COOKIE, CSRF_COOKIE = "__Host-sspr_flow", "__Host-sspr_csrf"
SECRET_FIELDS = ("new_password", "password", "answer_")
Fields = Mapping[str, str] | Iterable[tuple[str, str]] | bytes
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """One answer as it came over the wire; `headers` keep their order and repeats."""

    method: str
    host: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    @cached_property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @cached_property
    def page(self) -> Page:
        shaped = _Shaped(self.status, dict(self.headers), self.body)
        return Page(shaped)

    def header(self, name: str) -> str:
        """Its value, empty when it is not there; repeats joined by a comma."""
        return ", ".join(v for n, v in self.headers if n.lower() == name.lower())

    @property
    def set_cookies(self) -> list[str]:
        return [value for name, value in self.headers if name.lower() == "set-cookie"]


@dataclass(frozen=True)
class _Shaped:
    status_code: int
    headers: dict[str, str]
    content: bytes


@dataclass
class Journal:
    """Everything that was answered, and the secrets that were typed, of one case."""

    answers: list[Answer] = field(default_factory=list, repr=False)
    secrets: set[str] = field(default_factory=set, repr=False)
    lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, answer: Answer) -> Answer:
        with self.lock:
            self.answers.append(answer)
        return answer

    def keep_secret(self, *texts: str) -> None:
        """From now on these must stand in no table, no log and no message of this case."""
        with self.lock:
            self.secrets.update(text for text in texts if len(text.strip()) >= 6)


class Wire:
    """The way to one server. Safe to share by threads."""

    def __init__(self, port: int, journal: Journal) -> None:
        self.port, self.journal = port, journal
        nothing_kept = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        limits = httpx.Limits(max_connections=80, max_keepalive_connections=20)
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", cookies=nothing_kept, limits=limits, timeout=60
        )

    def send(
        self, method: str, host: str, path: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer:
        found = self._client.request(
            method, path, headers={"Host": host, **headers}, content=content or None
        )
        shown = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in found.headers.raw)
        return self.journal.add(Answer(method, host, path, found.status_code, shown, found.content))

    def raw(self, request: bytes, *, method: str = "GET") -> Answer:
        """Sends exactly these bytes over a connection of its own and reads one answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(request)
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            body = response.read()
        headers = tuple(response.getheaders())
        return self.journal.add(Answer(method, "raw", "raw", response.status, headers, body))

    def close(self) -> None:
        self._client.close()


def pairs_of(fields: Fields) -> list[tuple[str, str]]:
    if isinstance(fields, bytes):
        return []
    return list(fields.items()) if isinstance(fields, Mapping) else list(fields)


class Browser:
    """One browser on one host, behind the trusted proxy, with a network address of its own."""

    def __init__(self, wire: Wire, host: str, address: str) -> None:
        self.wire, self.host, self.address = wire, host, address
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}
        self.shown: Answer | None = None
        self.walk: list[Answer] = []
        self.flow_path = ""

    # --- Anything ---------------------------------------------------------------------------

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Sends one request with the cookies; what stands in `headers` wins over the usual."""
        usual = {"X-Forwarded-For": self.address, **PROXY, **self.headers}
        if self.cookies:
            usual["Cookie"] = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
        answer = self.wire.send(method, self.host, path, {**usual, **(headers or {})}, body)
        self._keep_cookies(answer)
        self.walk.append(answer)
        return answer

    def get(self, path: str, **more: Any) -> Answer:
        self.shown = self.request("GET", path, **more)
        return self.shown

    def post(
        self,
        path: str,
        fields: Fields,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = True,
    ) -> Answer:
        """Sends a form with the protection of the page before; `token=""` leaves it out."""
        mark = self.token if token is None else token
        pairs = ([("csrfmiddlewaretoken", mark)] if mark else []) + pairs_of(fields)
        for name, value in pairs:
            if name.startswith(SECRET_FIELDS):
                self.wire.journal.keep_secret(value)
        body = fields if isinstance(fields, bytes) else urlencode(pairs).encode()
        kind = {"Content-Type": FORM, "Origin": "null"}
        answer = self.request("POST", path, headers={**kind, **(headers or {})}, body=body)
        self.shown = answer
        if follow and answer.status in {302, 303}:
            self.get(answer.header("Location"))
        return answer

    @property
    def token(self) -> str:
        """The form's protection as the last page carries it, else as the cookie does."""
        for form in self.shown.page.forms if self.shown is not None else ():
            if "csrfmiddlewaretoken" in form.values:
                return form.values["csrfmiddlewaretoken"]
        return self.cookies.get(CSRF_COOKIE, "")

    # --- The verbs of a journey -------------------------------------------------------------

    def start(self, user_id: str, *, work: bool = False) -> Answer:
        """Loads the first page and sends it. `work` solves the proof of work, else the ripe
        ticket of somebody without JavaScript does."""
        answer = self.post("/reset/", {"user_id": user_id, **self.admission("/reset/", work=work)})
        if answer.status == 303 and "/reset/" in answer.header("Location"):
            self.flow_path = answer.header("Location")
        return answer

    def admission(self, path: str, *, work: bool = False) -> dict[str, str]:
        """The captcha's field for a door, after its page was loaded."""
        page = self.get(path)
        if work:
            return {"altcha": solve(challenge_of(page.text))}
        return {"ticket": ripe_ticket(self.host)}

    def choose(self, method: str, contact: str = "", channel: str = "") -> Answer:
        asked = {"method": method, "contact": contact, "channel": channel}
        return self._step("choose", {name: text for name, text in asked.items() if text})

    def send(self) -> Answer:
        return self._step("send", {})

    def verify(self, code: str = "", answers: Iterable[str] = ()) -> Answer:
        typed = {f"answer_{place}": text for place, text in enumerate(answers, start=1)}
        return self._step("verify", typed or {"code": code})

    def operation(self, operation: str) -> Answer:
        return self._step("operation", {"operation": operation})

    def submit(self, password: str) -> Answer:
        return self._step("submit", {"new_password": password})

    def cancel(self) -> Answer:
        return self._step("cancel", {})

    def status(self) -> Answer:
        """The page of the journey, loaded afresh."""
        return self.get(self.flow_path)

    def _step(self, verb: str, fields: Mapping[str, str]) -> Answer:
        return self.post(f"{self.flow_path}{verb}/", fields)

    # --- What it shows and holds ------------------------------------------------------------

    @property
    def page(self) -> Page:
        """The page in front of the attacker."""
        assert self.shown is not None
        return self.shown.page

    @property
    def state(self) -> str:
        return self.page.state

    @property
    def flow(self) -> UUID:
        return UUID(self.flow_path.split("/")[2])

    def twin(self) -> "Browser":
        """A copy that holds the same cookies and journey: another tab, or a thief of the cookie."""
        other = Browser(self.wire, self.host, self.address)
        other.cookies, other.flow_path, other.shown = dict(self.cookies), self.flow_path, self.shown
        return other

    def _keep_cookies(self, answer: Answer) -> None:
        for line in answer.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                    continue
                self.cookies[name] = morsel.value
                if name == FLOW_COOKIE:
                    self.wire.journal.keep_secret(morsel.value.partition(".")[2])
