"""Somebody whose password a directory keeps, at the page that changes it."""

from typing import Any

from django.test import Client

from accounts.models import SignInLock, User
from tests.cast import NEW_PASSWORD, Acme
from tests.resets.visitor import Clock, Page
from tests.writeback.field import sign_what_waits
from writeback.reports import Report

PATH = "/change-password/"
OLD = " The Old One\u0308 4 "
DONE = Report("succeeded", changed=True, controller="dc1", at=1)
WRONG = Report("failed", "wrong_old_password", controller="dc1", at=1)


class Person:
    """Bob in one browser, who is signed in. `change` asks, `page` looks what came of it."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client, self.clock = client, clock
        self.path = ""

    def change(self, old: str = OLD, new: str = NEW_PASSWORD, **more: str) -> Page:
        """Sends the form; the signer signs what comes of it."""
        fields = {"old_password": old, "new_password": new, **more}
        with self.clock.running():
            answer = self.client.post(PATH, fields)
            if answer.status_code == 303:
                self.path = answer.headers["Location"]
                answer = self.client.get(self.path)
        sign_what_waits(self.clock.now)
        return Page(answer)

    def page(self) -> Page:
        with self.clock.running():
            return Page(self.client.get(self.path))

    def state(self) -> Any:
        with self.clock.running():
            return self.client.get(f"{self.path.partition('?')[0]}status/").json()


def row_of(acme: Acme) -> User:
    with acme.inside():
        found: User = User.objects.get(pk=acme.bob.pk)
        return found


def locks(acme: Acme) -> list[int]:
    with acme.inside():
        return list(SignInLock.objects.values_list("failures", flat=True))
