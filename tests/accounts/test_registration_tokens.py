"""Backup codes, code generators and YubiKeys as their owners register them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from accounts.method_settings import change_settings
from accounts.models import Credential, User
from accounts.people import belongings_of
from accounts.registration.registrable import get_registrable
from accounts.signin.person import SignedIn
from accounts.signin.provable import context_for
from notifications.models import Message
from tenants.models import AuditEvent
from tests.accounts.methods.test_own_codes import CODES_METHOD
from tests.cast import Acme
from tests.credentials import (
    HELP_DESK,
    give_backup_codes,
    give_token,
    give_yubikey,
    token_code,
    token_of,
    yubikey_of,
)
from tests.resets.visitor import Page
from tests.services.validation import CLIENT, KEY, ValidationServer


@pytest.fixture
def person(acme: Acme) -> SignedIn:
    return SignedIn(acme.alice, acme.tenant, timezone.now(), ("app_code",))


def ask(key: str, person: SignedIn, fields: dict[str, str] | None = None) -> HttpResponse:
    make: Any = RequestFactory().get if fields is None else RequestFactory().post
    request = make("/security-info/add/", fields or {})
    return get_registrable(key).add(request, person, "/done/")


def shown(response: HttpResponse) -> Page:
    assert response.status_code == 200
    return Page(response)


def names(acme: Acme, key: str, user: User | None = None) -> list[str]:
    with acme.inside():
        own = belongings_of(user or acme.alice)
        found = get_registrable(key).entries(own, context_for(timezone.now()))
        return [entry.detail for entry in found]


def told(acme: Acme) -> int:
    with acme.inside():
        return Message.objects.filter(kind="method_changed").count()


def is_done(response: HttpResponse) -> bool:
    return (response.status_code, response.headers.get("Location")) == (303, "/done/")


# --- Backup codes -------------------------------------------------------------------------------


def test_backup_codes_are_shown_once_counted_and_told(acme: Acme, person: SignedIn) -> None:
    first = shown(ask("backup_codes", person))
    made = shown(ask("backup_codes", person, {"step": "make"}))
    codes = [line.partition("<")[0].strip() for line in made.text.split("<li>")[1:11]]

    assert "Make my codes" in first.text
    assert len(set(codes)) == 10
    assert names(acme, "backup_codes") == ["10 codes left"]
    assert told(acme) == 1
    assert is_done(ask("backup_codes", person, {"step": "saved"}))
    with acme.inside():
        assert AuditEvent.objects.filter(type="method.registered").count() == 1
        own = belongings_of(acme.alice)
        from tests.accounts.methods.conftest import ASKED, code

        assert CODES_METHOD.verify(own, ASKED, code(codes[3]), context_for(timezone.now())).right
    assert names(acme, "backup_codes") == ["9 codes left"]


def test_a_second_press_makes_no_second_set(acme: Acme, person: SignedIn) -> None:
    ask("backup_codes", person, {"step": "make"})

    assert is_done(ask("backup_codes", person, {"step": "make"}))
    assert told(acme) == 1


def test_a_new_set_replaces_the_old_one_on_purpose(acme: Acme, person: SignedIn) -> None:
    with acme.inside():
        give_backup_codes(acme.alice)
        [row] = Credential.objects.all()
    request = RequestFactory().post("/", {"step": "make"})

    made = get_registrable("backup_codes").change(request, person, str(row.pk), "/done/")

    assert "I&#x27;ve saved them" in made.content.decode() or "saved them" in made.content.decode()
    with acme.inside():
        [after] = Credential.objects.all()
        assert (after.version, AuditEvent.objects.get().type) == (2, "method.changed")


def test_backup_codes_are_removed(acme: Acme) -> None:
    registrable = get_registrable("backup_codes")
    with acme.inside():
        give_backup_codes(acme.alice)
        [row] = Credential.objects.all()
        other, own = belongings_of(acme.bob), belongings_of(acme.alice)

        assert registrable.remove(other, str(row.pk), timezone.now()) is None
        assert registrable.remove(own, "no id", timezone.now()) is None
        assert registrable.remove(own, str(row.pk), timezone.now()) == "Backup codes"
        assert not Credential.objects.exists()


# --- Code generators ----------------------------------------------------------------------------


def claim(
    acme: Acme, steps: tuple[int, int], now: datetime, serial: str = "gt 7"
) -> dict[str, str]:
    token = token_of(acme.alice)
    first, second = (token_code(token, now, steps=step) for step in steps)
    return {"serial": serial, "code_1": first, "code_2": second}


@pytest.fixture
def spare(acme: Acme) -> Credential:
    """A code generator that nobody has."""
    with acme.inside():
        return give_token(None, token_of(acme.alice), "GT7")


def test_a_free_token_is_claimed_by_its_number_and_two_codes(
    acme: Acme, person: SignedIn, spare: Credential
) -> None:
    shown(ask("hardware_token", person))

    done = ask("hardware_token", person, claim(acme, (30, 31), timezone.now()))

    assert is_done(done)
    assert names(acme, "hardware_token") == ["GT7"]
    assert told(acme) == 1
    again = shown(ask("hardware_token", person, claim(acme, (32, 33), timezone.now())))
    assert "do not belong to a device that is free" in again.text


@pytest.mark.parametrize(
    ("steps", "serial"), [((30, 32), "GT7"), ((30, 30), "GT7"), ((30, 31), "GT8"), ((30, 31), "")]
)
def test_a_token_is_not_claimed_otherwise(
    acme: Acme, person: SignedIn, spare: Credential, steps: tuple[int, int], serial: str
) -> None:
    page = shown(ask("hardware_token", person, claim(acme, steps, timezone.now(), serial)))

    assert "There is a problem" in page.text
    assert names(acme, "hardware_token") == []
    assert told(acme) == 0


def test_claims_are_counted_before_they_are_compared(
    acme: Acme, person: SignedIn, spare: Credential
) -> None:
    for _ in range(5):
        ask("hardware_token", person, {"serial": "GT7", "code_1": "000000", "code_2": "000001"})

    page = shown(ask("hardware_token", person, claim(acme, (30, 31), timezone.now())))

    assert "too many tries" in page.text
    assert names(acme, "hardware_token") == []


def test_a_token_out_of_step_is_brought_back_and_given_back(acme: Acme, person: SignedIn) -> None:
    with acme.inside():
        row = give_token(acme.alice, token_of(acme.alice), "GT7")
    fields = claim(acme, (50, 51), timezone.now())
    del fields["serial"]
    registrable = get_registrable("hardware_token")
    request: Any = RequestFactory().post("/", fields)
    stranger = SignedIn(acme.bob, acme.tenant, timezone.now(), ())

    wrong = registrable.change(request, stranger, str(row.pk), "/done/")
    right = registrable.change(RequestFactory().post("/", fields), person, str(row.pk), "/done/")

    assert wrong.status_code == 200
    assert is_done(right)
    with acme.inside():
        assert registrable.remove(belongings_of(acme.alice), str(row.pk), timezone.now()) == "GT7"
        back = Credential.objects.get()
        assert (back.user, back.confirmed_at, back.version) == (None, None, 2)
        assert back.read().reveal() == row.read().reveal()


# --- YubiKeys -----------------------------------------------------------------------------------


@pytest.fixture
def server(acme: Acme) -> Iterator[ValidationServer]:
    with ValidationServer() as running:
        with acme.inside():
            values = {
                "validation_url": running.url,
                "validation_client": CLIENT,
                "validation_key": KEY,
            }
            change_settings(values, by=HELP_DESK, now=timezone.now())
        yield running


def test_a_key_that_the_server_knows_is_registered_by_a_touch(
    acme: Acme, person: SignedIn, server: ValidationServer
) -> None:
    key = yubikey_of(acme.alice)
    shown(ask("yubikey_otp", person))

    assert is_done(ask("yubikey_otp", person, {"code": key.touch()}))
    assert names(acme, "yubikey_otp") == [key.public_id]
    assert told(acme) == 1
    taken = SignedIn(acme.bob, acme.tenant, timezone.now(), ())
    assert "can not be registered" in shown(ask("yubikey_otp", taken, {"code": key.touch()})).text
    with acme.inside():
        [row] = Credential.objects.all()
        own = belongings_of(acme.alice)
        removed = get_registrable("yubikey_otp").remove(own, str(row.pk), timezone.now())
        assert removed == key.public_id
        assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("status", "text"), [("BAD_OTP", "can not be registered"), ("BACKEND_ERROR", "does not answer")]
)
def test_what_the_server_does_not_vouch_for_is_not_registered(
    acme: Acme, person: SignedIn, server: ValidationServer, status: str, text: str
) -> None:
    server.status = status

    page = shown(ask("yubikey_otp", person, {"code": yubikey_of(acme.alice).touch()}))

    assert text in page.text
    assert names(acme, "yubikey_otp") == []


def test_a_key_of_the_inventory_is_handed_over_by_a_touch(acme: Acme, person: SignedIn) -> None:
    key = yubikey_of(acme.alice)
    with acme.inside():
        give_yubikey(None, key)
    typed = key.touch()

    assert is_done(ask("yubikey_otp", person, {"code": typed}))
    other = SignedIn(acme.bob, acme.tenant, timezone.now(), ())
    assert "can not be registered" in shown(ask("yubikey_otp", other, {"code": key.touch()})).text
    assert names(acme, "yubikey_otp") == [key.public_id]


@pytest.mark.parametrize("typed", ["", "c" * 43, "123456"])
def test_what_no_key_types_is_said_to_be_so(acme: Acme, person: SignedIn, typed: str) -> None:
    assert "not what a YubiKey types" in shown(ask("yubikey_otp", person, {"code": typed})).text
