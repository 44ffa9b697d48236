"""What the cases about tenants need beside the lab: rows of both tenants, an administrator's
browser that the isolation suite understands, many callers at once, a careless command."""

import http.client
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.core.management.base import BaseCommand
from django.db import connection, models
from django.utils import timezone

from accounts.models import User
from notifications.models import Message
from notifications.services import CodeSource, Recipient, notify
from resets.services import Origin, start
from tenants import audit
from tenants.audit import Party
from tenants.audit_chain import seal_pending
from tenants.context import tenant_context
from tests.cast import CANARY, PASSWORD, Organisation, make_group, make_person
from tests.isolation.canary import ids_of
from tests.security.lab.client import CSRF_COOKIE, Answer, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.observers import superuser
from tests.services.postgres import RUNTIME
from tests.services.signed_in import prove_session

ORIGIN = Origin("192.0.2.10", "en")
NONCE, BINDING = b"nonce-of-the-cod", b"binding-of-the-code"


@dataclass(frozen=True)
class Plain:
    """An answer of the lab in the words of Django's test client."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    cookies: Sequence[str] = ()
    streaming: bool = False


def plain(answer: Answer) -> Plain:
    cookies = [line.partition("=")[0] for line in answer.set_cookies]
    return Plain(answer.status, dict(answer.headers), answer.body, cookies)


@dataclass
class Administrator:
    """Acme's administrator at work: a browser with the interface of Django's test client."""

    browser: Browser

    def get(self, path: str, fields: Mapping[str, str] | None = None) -> Plain:
        return plain(self.browser.get(f"{path}?{urlencode(fields)}" if fields else path))

    def post(self, path: str, fields: Mapping[str, Any] | None = None) -> Plain:
        pairs = [
            (name, str(each))
            for name, value in (fields or {}).items()
            if name != "csrfmiddlewaretoken"
            for each in (value if isinstance(value, list) else [value])
        ]
        # The page in front of the browser may be one without a form; the cookie's text does, too.
        token = self.browser.cookies[CSRF_COOKIE]
        return plain(self.browser.post(path, pairs, token=token, follow=False))

    def ask(self, method: str, path: str) -> Plain:
        """Any method, with the form's protection in a header."""
        if method == "POST":
            return self.post(path, {})
        token = {"X-CSRFToken": self.browser.cookies[CSRF_COOKIE]}
        return plain(self.browser.request(method, path, headers=token))


def sign_in(lab: Lab, user: User, host: str = "") -> Administrator:
    browser = lab.browser(host=host)
    browser.get("/admin/login/")
    fields = {"user_id": user.user_id, "password": PASSWORD, "next": ""}
    answer = browser.post("/admin/login/", fields, follow=False)
    assert answer.status == 302
    prove_session(browser.cookies["__Host-sspr_session"])
    browser.get("/admin/")
    return Administrator(browser)


@dataclass(frozen=True)
class Site:
    """Both tenants with rows in what administrators see, shaped like the isolation's scene."""

    lab: Lab
    own: dict[type[models.Model], list[UUID]] = field(repr=False)
    theirs: dict[type[models.Model], list[UUID]] = field(repr=False)

    @property
    def acme(self) -> Any:
        return self.lab.acme

    @property
    def foreign(self) -> list[UUID]:
        return [pk for ids in self.theirs.values() for pk in ids]

    def administrator(self) -> Administrator:
        return sign_in(self.lab, self.lab.acme.carol)


@pytest.fixture(name="site")
def furnished(lab: Lab) -> Site:
    """Rows in every table of the administration; beta must stay as it is from here on."""
    _furnish(lab.acme, lab.acme.alice, "Acme")
    with lab.beta.inside():
        ada = make_person("ada", lab.beta.domain, given_name=CANARY, roles=["user_administrator"])
    _furnish(lab.beta, ada, CANARY)
    lab.leave_alone(lab.beta)
    return Site(lab, ids_of(lab.acme), ids_of(lab.beta))


def _furnish(organisation: Organisation, person: User, mark: str) -> None:
    """A journey with its trail, a message that went out, a group."""
    now = timezone.now()
    begun = start(
        person.user_id, host_tenant=organisation.id, organisation="", origin=ORIGIN, now=now
    )
    assert begun.handle is not None
    with organisation.inside():
        make_group(f"{mark} staff", members=(person,))
        party = Party("user", person.pk, f"{mark} {person.user_id}")
        audit.record("admin.signed_in", actor=party, target=party, address="192.0.2.7", now=now)
        notify(
            "code",
            "email",
            Recipient(f"{mark}@post.example", "en", mark),
            {},
            now=now,
            code=CodeSource(NONCE, BINDING),
            reference="K7M4-92QX",
            correlation_id=begun.handle.flow,
        )
        Message.objects.update(state="sent", sent_at=now)
    while seal_pending(now):
        continue


class CarelessCommand(BaseCommand):
    """A command somebody wrote without thinking of tenants: Django's own querysets, no filter."""

    help = "Lists everybody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", type=UUID)

    def handle(self, *args: Any, **options: Any) -> str:
        with tenant_context(options["tenant"]):
            rows: Any = models.QuerySet(User).order_by("user_id")
            rows.update(display_name="seen by the command")
            return "\n".join(user.user_id for user in rows)


@dataclass
class Caller:
    """One client of many: a connection that stays open, requests to one host after the other."""

    port: int
    connection: http.client.HTTPConnection | None = None

    def get(self, host: str, path: str) -> tuple[int, str]:
        """Status and text; a connection the server closed is opened again once."""
        for last in (False, True):
            try:
                return self._ask(host, path)
            except (http.client.HTTPException, ConnectionError):
                self.close()
                if last:
                    raise
        raise AssertionError("unreachable")

    def _ask(self, host: str, path: str) -> tuple[int, str]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Host": host, "X-Forwarded-Proto": "https", "Accept-Language": "en"}
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def own_backend() -> int:
    """This thread's connection to the database, which is not the server's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found: int = cursor.fetchone()[0]
    return found


def kill_one(spared: int) -> bool:
    """Ends one of the server's connections to the database, any of them; whether there was one."""
    with superuser() as opened:
        ended = opened.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
            " AND datname = current_database() AND pid <> %s ORDER BY random() LIMIT 1",
            [RUNTIME, spared],
        ).fetchone()
    return ended is not None
