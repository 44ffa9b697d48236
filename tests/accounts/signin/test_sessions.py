"""Signed in elsewhere: the list, ending one, ending all others, signing out."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.signin.sessions import PEOPLE
from tenants.models import AuditEvent
from tests.accounts.signin.people import SIGN_IN, browser, sign_in, text_of
from tests.cast import Acme, Beta

LIST = "/sign-in/sessions/"
COOKIE = settings.SESSION_COOKIE_NAME


def signed_in(acme: Acme, name: str = "Firefox/140.0 (Windows)") -> Client:
    client = browser(acme, user_agent=name)
    assert sign_in(client, acme.alice.user_id).status_code == 303
    return client


def is_in(client: Client) -> bool:
    return client.get(LIST).status_code == 200


def test_the_list_names_browsers_addresses_and_this_one(acme: Acme) -> None:
    here, phone = signed_in(acme), signed_in(acme, "Chrome/140 (Android)")

    page = text_of(here.get(LIST))

    assert page.count("<h2>") == 2
    assert "This browser" in page
    assert "Chrome, Android" in page
    assert "127.0.0.1" in page
    assert page.count('name="session"') == 1
    assert is_in(phone)


def test_one_other_session_is_ended(acme: Acme) -> None:
    here, phone, desk = signed_in(acme), signed_in(acme, "Chrome/1"), signed_in(acme, "Safari/1")
    with acme.inside():
        key = Session.objects.get(browser="Chrome").pk

    answer = here.post(f"{LIST}end/", {"session": str(key)})

    assert answer.headers["Location"] == f"{LIST}?done=one"
    assert [is_in(client) for client in (here, phone, desk)] == [True, False, True]


@pytest.mark.parametrize("whose", ["nobody", "text", "bob", "own"])
def test_only_ones_own_other_sessions_can_be_ended(whose: str, acme: Acme) -> None:
    here = signed_in(acme)
    bob = browser(acme)
    sign_in(bob, acme.bob.user_id)
    with acme.inside():
        keys = {
            "nobody": "00000000-0000-4000-8000-000000000000",
            "text": "' OR 1=1 --",
            "bob": str(Session.objects.get(user=acme.bob).pk),
            "own": str(Session.objects.get(user=acme.alice).pk),
        }

    assert here.post(f"{LIST}end/", {"session": keys[whose]}).status_code == 303
    assert (is_in(here), is_in(bob)) == (True, True)


def test_signing_out_everywhere_else_keeps_this_one_and_raises_the_epoch(acme: Acme) -> None:
    here, phone, desk = signed_in(acme), signed_in(acme), signed_in(acme)

    answer = here.post(f"{LIST}end-others/")

    assert answer.headers["Location"] == f"{LIST}?done=others"
    assert [is_in(client) for client in (here, phone, desk)] == [True, False, False]
    with acme.inside():
        assert User.objects.get(pk=acme.alice.pk).session_epoch == 1
        [event] = AuditEvent.objects.filter(type="user.signed_out")
        assert event.data == {"sessions_ended": 2}


def test_signing_out_ends_the_session_and_a_second_press_does_no_harm(acme: Acme) -> None:
    client = signed_in(acme)
    key = client.cookies[COOKIE].value

    assert "You are signed out" in text_of(client.post("/sign-in/out/"))
    assert client.post("/sign-in/out/").status_code == 200
    client.cookies[COOKIE] = key
    assert client.get(LIST).headers["Location"].startswith(SIGN_IN)
    assert client.get("/sign-in/out/").status_code == 405


def test_signing_in_again_replaces_the_session_of_the_browser(acme: Acme) -> None:
    client = signed_in(acme)
    first = client.cookies[COOKIE].value

    sign_in(client, acme.bob.user_id)

    assert client.cookies[COOKIE].value != first
    assert re.search(r"bob@acme\.example", text_of(client.get(LIST)))
    with acme.inside():
        assert Session.objects.count() == 1


def test_a_planted_key_is_never_taken_over(acme: Acme) -> None:
    client = browser(acme)
    planted = f"{acme.id.hex}.{'x' * 43}"
    client.cookies[COOKIE] = planted

    sign_in(client, acme.alice.user_id)

    assert client.cookies[COOKIE].value != planted


def test_a_session_ends_after_fifteen_idle_minutes_and_after_eight_hours(acme: Acme) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        idle, busy = signed_in(acme), signed_in(acme)
        for _ in range(34):
            clock.shift(timedelta(minutes=14))
            assert is_in(busy)
        assert not is_in(idle)
        clock.shift(PEOPLE.absolute - timedelta(minutes=14 * 34) + timedelta(seconds=1))
        assert not is_in(busy)


@pytest.mark.parametrize(
    "fields",
    [
        {"session_epoch": 5},
        {"is_active": False},
        {"frozen_at": timezone.now()},
        {"password": "another hash"},
    ],
)
def test_a_session_ends_when_its_person_changes(fields: dict[str, object], acme: Acme) -> None:
    client = signed_in(acme)
    with acme.inside():
        User.objects.filter(pk=acme.alice.pk).update(**fields)

    assert not is_in(client)


def test_a_session_of_another_tenant_means_nothing_on_this_host(acme: Acme, beta: Beta) -> None:
    client = signed_in(acme)

    answer = client.get(LIST, headers={"host": beta.host})

    assert answer.headers["Location"].startswith(SIGN_IN)
