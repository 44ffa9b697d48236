"""What an administrator does to order a reset, and what is seen of it."""

import re

import pytest

from accounts.models import User
from notifications.models import Message
from tests.cast import Acme
from tests.writeback.admin.desk import ClockDesk, page

pytestmark = pytest.mark.django_db


PASSWORD = re.compile(r'<strong translate="no">((?:[b-zB-Z2-9]{4}-){3,}[b-zB-Z2-9]{4})</strong>')
KIND = "password_reset_by_administrator"


def person_page(user: User, more: str = "reset/") -> str:
    return f"accounts/user/{user.pk}/{more}"


def order(desk: ClockDesk, user: User) -> str:
    """Orders a reset; the address of its page."""
    return page(desk.send(person_page(user), reason="called, known by voice"))


def show(desk: ClockDesk, address: str) -> str:
    """The text of the answer to the button that shows the password."""
    return desk.post(address.replace("change/", "show/"), {}).content.decode()


def shown_in(text: str) -> str:
    found = PASSWORD.search(text)
    assert found is not None, text
    return found[1]


def told(acme: Acme) -> int:
    with acme.inside():
        return int(Message.objects.filter(kind=KIND).count())


def epoch(acme: Acme) -> int:
    with acme.inside():
        acme.bob.refresh_from_db()
    return acme.bob.session_epoch
