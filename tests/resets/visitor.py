"""A person with a browser: loads pages, fills in their forms, follows where they lead.

Everything sent comes from the page that was shown last, hidden fields and the form's protection
too, so a journey only works where a real browser could walk it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import time_machine
from django.test import Client
from django.utils import timezone

from notifications.services import drain
from resets import captcha
from resets.models import Flow
from tenants.context import tenant_context
from tenants.models import AuditEvent

TICKET_AGE = timedelta(seconds=4)
HARD_TICKET_AGE = timedelta(seconds=31)


class Clock:
    """What time it is for the product. Starts at `start`, moves only when it is told to."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def at(self, moment: datetime) -> None:
        self.now = moment

    def shift(self, **span: float) -> None:
        """`clock.shift(seconds=301)`"""
        self.now += timedelta(**span)

    @contextmanager
    def running(self) -> Iterator[None]:
        with time_machine.travel(self.now, tick=False):
            yield


@dataclass
class Form:
    """One form of a page. `typed` are the fields a person fills in, `values` what stands in all."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """What a page says about itself, and its forms."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.status: int = response.status_code
        self.headers = response.headers
        self.text: str = response.content.decode()
        self.state = self.reference = ""
        # What the page's script asks the browser's passkeys with.
        self.options = ""
        self.reason: str | None = None
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "body":
            self.state = found.get("data-state", "")
            self.reference = found.get("data-reference", "")
            self.reason = found.get("data-reason")
        elif tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get")))
            self.options = found.get("data-options", self.options)
        elif tag == "a":
            self.links.append(found.get("href", ""))
        elif tag in {"input", "textarea"} and found.get("name"):
            self._input(found)
        elif tag == "select" and self.forms:
            self.forms[-1].values[found["name"]] = ""
            self.forms[-1].typed.append(found["name"])
        elif tag == "option" and "selected" in found and self.forms:
            self.forms[-1].values[self.forms[-1].typed[-1]] = found["value"]

    def _input(self, found: dict[str, str]) -> None:
        form, name, kind = self.forms[-1], found["name"], found.get("type", "text")
        if kind == "radio":
            form.choices.setdefault(name, []).append(found["value"])
            if "checked" in found:
                form.values[name] = found["value"]
            return
        form.values[name] = found.get("value", "")
        if kind != "hidden" and "readonly" not in found:
            form.typed.append(name)

    @property
    def form(self) -> Form:
        """The form the page is about."""
        return next(form for form in self.forms if form.method == "post")

    def form_to(self, ending: str) -> Form:
        return next(form for form in self.forms if form.action.endswith(ending))


class Visitor:
    """One browser on one host. `page` is what it shows, `flow` the journey it is on, `answered` the
    status of the last answer before any redirect was followed."""

    def __init__(self, host: str, clock: Clock, *, address: str = "192.0.2.10") -> None:
        self.host, self.clock = host, clock
        self.client = Client(enforce_csrf_checks=True, headers={"host": host}, REMOTE_ADDR=address)
        self.page: Page | None = None
        self.seen: list[Page] = []
        self.typed: list[str] = []
        self.path = ""
        self.answered = 0

    def get(self, path: str, **more: Any) -> Page:
        with self.clock.running():
            return self._follow(self.client.get(path, **more), path)

    def post(self, path: str, fields: dict[str, Any], **more: Any) -> Page:
        """Sends exactly these fields and the form's protection of the page before."""
        token = self.client.cookies.get("sspr_csrf")
        known = self.page.forms if self.page is not None else []
        tokens = [
            f.values["csrfmiddlewaretoken"] for f in known if "csrfmiddlewaretoken" in f.values
        ]
        data = {"csrfmiddlewaretoken": tokens[0] if tokens else getattr(token, "value", "")}
        with self.clock.running():
            return self._follow(self.client.post(path, {**data, **fields}, **more), path)

    def fill(self, **typed: str) -> Page:
        """Fills in the page's own form and sends it; what is not named stays as it stands."""
        form = self.shown.form
        unknown = set(typed) - set(form.values) - set(form.choices)
        assert not unknown, f"this page does not ask for {unknown}"
        self.typed += [name for name in form.typed if typed.get(name)]
        values = {k: v for k, v in form.values.items() if k != "csrfmiddlewaretoken"}
        return self.post(form.action, {**values, **typed})

    def press(self, ending: str) -> Page:
        """Sends the small form whose address ends like this: `/send/`, `/cancel/`."""
        return self.post(self.shown.form_to(ending).action, {})

    def start(self, user_id: str, *, patient: bool = False) -> Page:
        """Loads the first page and sends it with a captcha that is right; `patient`: the harder."""
        self.get("/reset/")
        age = HARD_TICKET_AGE if patient else TICKET_AGE
        with self.clock.running():
            ticket = captcha.new_ticket(self.host, self.clock.now - age, hard=patient)
        return self.fill(user_id=user_id, ticket=ticket)

    @property
    def shown(self) -> Page:
        assert self.page is not None
        return self.page

    @property
    def flow(self) -> UUID:
        return UUID(self.path.split("/")[2])

    def _follow(self, response: Any, path: str) -> Page:
        self.path, self.answered = path, response.status_code
        if response.status_code in {302, 303}:
            self.path = response.headers["Location"]
            response = self.client.get(self.path)
        self.page = Page(response)
        self.seen.append(self.page)
        return self.page


def take_messages(folder: Path, now: datetime) -> list[dict[str, Any]]:
    """Sends what is queued and takes it out of the outbox, oldest first."""
    drain(now)
    files = sorted(folder.glob("*.json"))
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    for file in files:
        file.unlink()
    return found


def trail(organisation: Any, **which: Any) -> list[AuditEvent]:
    """The audit events of an organisation, oldest first."""
    with organisation.inside():
        return list(AuditEvent.objects.filter(**which).order_by("created_at", "type"))


def types(events: list[AuditEvent]) -> list[str]:
    return [event.type for event in events]


def get_flow_row(organisation: Any, flow: UUID) -> Flow:
    with tenant_context(organisation.id):
        row: Flow = Flow.objects.get(pk=flow)
        return row


def moment() -> datetime:
    return timezone.now()
