"""Somebody's browser: keeps cookies, follows redirects, fills in the form of the page."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .wire import Reply, Request, Transport

_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_FORM = re.compile(r'<form\b([^>]*\bmethod="post"[^>]*)>(.*?)</form>', re.DOTALL | re.IGNORECASE)
_STATE = re.compile(r'data-state="\w+"')
_ACTION = re.compile(r'\baction="([^"]*)"')
_HERE = re.compile(r'\bdata-here="([^"]*)"(\s+data-posted)?')
_CHALLENGE = re.compile(r'data-challenge="([^"]*)"')

Seen = Callable[[str, Reply], None]


class WentWrong(RuntimeError):
    """A journey did not come where it should; a figure made from it would mean nothing."""


@dataclass
class Browser:
    """`address` is what the trusted proxy says; `seen` is told each request by name."""

    transport: Transport
    host: str
    address: str = "192.0.2.1"
    seen: Seen | None = None
    cookies: dict[str, str] = field(default_factory=dict)
    path: str = "/"
    page: Reply | None = None

    def get(self, name: str, path: str) -> Reply:
        return self._ask(name, path, None)

    def post(self, name: str, path: str, fields: Mapping[str, str]) -> Reply:
        return self._ask(name, path, fields)

    def submit(self, name: str, fields: Mapping[str, str], *, follow: str = "") -> Reply:
        """Sends the page's first form with its hidden fields and these; goes where it leads,
        under the name `follow`."""
        action, values = form_of(self.shown.text)
        address = action or self.path
        here = _HERE.search(self.shown.text)
        # What the script of such a page does: it asks for the next page as the answer, and gives
        # the page that a form led to its address.
        if here and address.startswith(here[1]):
            address += "?direct=1"
        reply = self.post(name, address, {**values, **fields})
        here = _HERE.search(reply.text)
        if here and here[2]:
            self.path = here[1]
        if reply.status in {302, 303} and follow:
            return self.get(follow, reply.headers["location"])
        return reply

    def follow(self, name: str) -> Reply:
        return self.get(name, self.shown.headers["location"])

    @property
    def shown(self) -> Reply:
        if self.page is None:
            raise WentWrong("no page was loaded")
        return self.page

    def expect(self, text: str) -> Reply:
        """The page, if it says so. Raises WentWrong."""
        if self.shown.status >= 400 or text not in self.shown.text:
            told = " ".join(_STATE.findall(self.shown.text))
            raise WentWrong(f"{self.shown.status} at {self.path}, not {text!r}: {told}")
        return self.shown

    def arrived(self, at: str) -> Reply:
        """The page, if its address ends like this. Raises WentWrong."""
        if self.shown.status != 200 or not self.path.endswith(at):
            raise WentWrong(f"{self.shown.status} at {self.path}, not at {at}")
        return self.shown

    def _ask(self, name: str, path: str, fields: Mapping[str, str] | None) -> Reply:
        headers = {"X-Forwarded-For": self.address, "Accept-Language": "en"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        reply = self.transport.ask(Request(path, self.host, headers, fields))
        self.cookies.update(reply.cookies)
        self.path, self.page = path, reply
        if self.seen is not None:
            self.seen(name, reply)
        return reply


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """Action of the first posted form, and what stands in its fields."""
    form = _FORM.search(page)
    if form is None:
        raise WentWrong("a page without a form")
    found = _ACTION.search(form[1])
    values = {}
    for tag in _INPUT.findall(form[2]):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get("type") == "radio" and " checked" not in tag:
            continue
        if "name" in attributes:
            values[attributes["name"]] = html.unescape(attributes.get("value", ""))
    return (html.unescape(found[1]) if found else ""), values


def solve(page: str) -> str:
    """The proof of work of a page, as its script does it: count until the hash is right."""
    found = _CHALLENGE.search(page)
    if found is None:
        raise WentWrong("a page without a challenge")
    asked = json.loads(html.unescape(found[1]))
    start = hashlib.sha256(asked["salt"].encode())
    for number in range(asked["maxnumber"] + 1):
        tried = start.copy()
        tried.update(str(number).encode())
        if tried.hexdigest() == asked["challenge"]:
            return solution(asked, number)
    raise WentWrong("a challenge without a solution")


def solution(asked: Mapping[str, object], number: int) -> str:
    """What the field `altcha` carries."""
    answer = {name: asked[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps({**answer, "number": number}).encode()).decode()
