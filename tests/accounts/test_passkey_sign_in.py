"""Signing in with a passkey: who is found, what is refused, and that every refusal looks alike."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Credential, User
from accounts.passkeys import handle_of, tenant_of_handle
from accounts.signin import services
from tenants.models import AuditEvent, Tenant
from tests.cast import Acme, Beta, Organisation
from tests.services.softkey import (
    UP,
    SoftKey,
    challenge_of,
    give_passkey,
    own_assertion,
)

HERE = "/sign-in/passkey/"
SITE, SHARED = "http://acme.sspr.test", "http://localhost"


@pytest.fixture(autouse=True)
def signed_in(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Sequence[str]]]:
    """Who was let in, and with what."""
    found: list[tuple[str, Sequence[str]]] = []
    real = services.finish_sign_in

    def finish(
        request: HttpRequest, user: User, methods: Sequence[str], now: datetime
    ) -> HttpResponse:
        found.append((user.user_id, methods))
        return real(request, user, methods, now)

    monkeypatch.setattr(services, "finish_sign_in", finish)
    return found


def _browser(site: str = SITE) -> Client:
    return Client(headers={"host": site.partition("//")[2], "sec-fetch-site": "same-origin"})


def _offered(browser: Client) -> Any:
    return browser.get(HERE).json()


def _send(browser: Client, offer: Any, text: str, **more: str) -> Any:
    return browser.post(HERE, {"assertion": text, "challenge": offer["challenge"], **more})


def _signed(
    organisation: Organisation, user: User, offer: Any, site: str = SITE, **bent: Any
) -> str:
    with organisation.inside():
        challenge = bent.pop("challenge", None) or challenge_of(offer["options"])
        return own_assertion(user, bent.pop("origin", site), challenge, **bent)


def _try(organisation: Organisation, user: User, site: str = SITE, **bent: Any) -> Any:
    browser = _browser(site)
    offer = _offered(browser)
    return _send(browser, offer, _signed(organisation, user, offer, site, **bent))


def test_options_name_nobody_and_ask_for_verification(acme: Acme) -> None:
    options = _offered(_browser())["options"]

    assert (options["rpId"], options["userVerification"]) == ("acme.sspr.test", "required")
    assert "allowCredentials" not in options
    assert len(challenge_of(options)) == 32


@pytest.mark.parametrize("site", [SITE, SHARED])
def test_a_passkey_signs_in_on_the_tenants_own_host_and_on_the_shared_one(
    acme: Acme, site: str, signed_in: list[Any]
) -> None:
    with acme.inside():
        give_passkey(acme.bob, site)

    browser = _browser(site)
    offer = _offered(browser)
    answer = _send(browser, offer, _signed(acme, acme.bob, offer, site), next="/sign-in/sessions/")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/sessions/")
    assert b"bob@acme.example" in browser.get("/sign-in/sessions/").content
    assert signed_in == [("bob@acme.example", ("passkey",))]
    with acme.inside():
        assert Credential.objects.get().used_at is not None


BENT: dict[str, dict[str, Any]] = {
    "wrong origin": {"origin": "https://evil.example", "rp_id": "acme.sspr.test"},
    "wrong RP ID": {"rp_id": "evil.example"},
    "another challenge": {"challenge": b"c" * 32},
    "user not verified": {"flags": UP},
    "no handle": {"handle": None},
    "handle of nobody": {"handle": b"x" * 48},
    "short handle": {"handle": b"x"},
    "unknown key": {"credential_id": b"unknown"},
    "handle of a tenant that is none": {"handle": uuid4().bytes + bytes(32)},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=list(BENT))
@pytest.mark.parametrize("site", [SITE, SHARED])
def test_what_is_bent_signs_nobody_in(
    acme: Acme, bent: dict[str, Any], site: str, signed_in: list[Any]
) -> None:
    with acme.inside():
        give_passkey(acme.bob, site)

    answer = _try(acme, acme.bob, site, **bent)

    assert answer.status_code == 403
    assert signed_in == []
    assert _try(acme, acme.bob, site).status_code == 303


def test_every_refusal_is_the_same_page(acme: Acme, beta: Beta) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
        give_passkey(acme.dave, SITE)
        give_passkey(acme.alice, "https://other.example")
    with beta.inside():
        give_passkey(beta.bob, SITE)
    refusals = [
        _try(acme, acme.bob, flags=UP),
        _try(acme, acme.dave),
        _try(acme, acme.eve),
        _try(acme, acme.alice),
        _try(beta, beta.bob),
        _send(_browser(), _offered(_browser()), "junk"),
        _send(_browser(), {"challenge": ""}, ""),
    ]

    texts = {re.sub(rb'value="[^"]{60,}"', b"", answer.content) for answer in refusals}
    assert {answer.status_code for answer in refusals} == {403}
    assert len(texts) == 1


def test_a_passkey_of_beta_opens_nothing_on_acmes_host(
    acme: Acme, beta: Beta, signed_in: list[Any]
) -> None:
    """Not even with the same key registered in both."""
    key = SoftKey.of(beta.bob)
    with beta.inside():
        give_passkey(beta.bob, SITE)
        theirs = handle_of(beta.bob)
    with acme.inside():
        give_passkey(acme.bob, SITE, key=key)

    assert _try(beta, beta.bob).status_code == 403
    assert tenant_of_handle(theirs) == beta.id
    assert signed_in == []


@pytest.mark.parametrize("how", ["disabled", "frozen", "method disabled", "suspended", "expired"])
def test_whoever_may_not_sign_in_is_refused(acme: Acme, how: str, signed_in: list[Any]) -> None:
    with acme.inside():
        give_passkey(acme.bob, SHARED)
        bobs = User.objects.filter(pk=acme.bob.pk)
        changes: dict[str, Any] = {
            "disabled": {"is_active": False},
            "frozen": {"frozen_at": timezone.now()},
            "method disabled": {"disabled_methods": ["passkey"]},
        }
        if how == "suspended":
            Tenant.objects.update(active=False)
        elif how == "expired":
            Credential.objects.update(expires_at=timezone.now())
        else:
            bobs.update(**changes[how])

    assert _try(acme, acme.bob, SHARED).status_code == 403
    assert signed_in == []


def test_a_challenge_is_answered_once_whatever_came_of_it(acme: Acme, signed_in: list[Any]) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
    browser = _browser()
    first, second = _offered(browser), _offered(browser)
    right = _signed(acme, acme.bob, first)

    assert _send(browser, first, right).status_code == 303
    assert _send(browser, first, right).status_code == 403
    assert _send(browser, second, right).status_code == 403
    assert _send(browser, second, _signed(acme, acme.bob, second)).status_code == 403
    assert len(signed_in) == 1


@pytest.mark.parametrize(("seconds", "status"), [(299, 303), (301, 403)])
def test_a_challenge_is_good_for_five_minutes(acme: Acme, seconds: int, status: int) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
    browser, now = _browser(), timezone.now()
    with time_machine.travel(now, tick=False):
        offer = _offered(browser)
    text = _signed(acme, acme.bob, offer)
    with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
        assert _send(browser, offer, text).status_code == status


def test_a_challenge_of_another_host_or_made_up_is_none(acme: Acme, signed_in: list[Any]) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
    here, there = _browser(), _browser(SHARED)
    elsewhere = _offered(there)

    assert _send(here, elsewhere, _signed(acme, acme.bob, elsewhere)).status_code == 403
    offer = _offered(here)
    forged = {**offer, "challenge": offer["challenge"][:-1] + "x"}
    assert _send(here, forged, _signed(acme, acme.bob, offer)).status_code == 403
    assert signed_in == []


def test_a_passkey_is_both_factors_and_a_fresh_proof(acme: Acme) -> None:
    with acme.inside():
        give_passkey(acme.carol, SITE)
    browser = _browser()
    offer = _offered(browser)
    text = _signed(acme, acme.carol, offer)

    answer = _send(browser, offer, text, next="/admin/")

    assert answer.headers["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200
    assert browser.session["proved_with"] == ["passkey"]


def test_the_next_page_is_one_of_this_site(acme: Acme) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
    browser = _browser()
    offer = _offered(browser)

    answer = _send(browser, offer, _signed(acme, acme.bob, offer), next="https://evil.example/")

    assert "evil" not in answer.headers["Location"]


def test_failures_are_counted_by_address_and_successes_taken_back(
    acme: Acme, signed_in: list[Any]
) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
    assert _try(acme, acme.bob).status_code == 303

    failures = [_try(acme, acme.bob, flags=UP).status_code for _ in range(20)]
    late = _try(acme, acme.bob)

    assert set(failures) == {403}
    assert (late.status_code, len(signed_in)) == (429, 1)
    assert int(late.headers["Retry-After"]) > 0
    assert b"too many wrong tries" in late.content


def test_a_copied_key_is_refused_and_told(acme: Acme, signed_in: list[Any]) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
        Credential.objects.update(counter=5)

    assert _try(acme, acme.bob, counter=5).status_code == 403
    assert _try(acme, acme.bob, counter=6).status_code == 303

    with acme.inside():
        assert AuditEvent.objects.filter(type="method.copy_suspected").count() == 1
        [failed] = AuditEvent.objects.filter(type="user.sign_in_failed")
    assert (failed.reason, failed.target_label) == ("passkey: counter", "bob@acme.example")


def test_the_trail_says_why_and_names_nobody_who_was_not_proved(acme: Acme) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
        give_passkey(acme.dave, SITE)

    _try(acme, acme.bob, flags=UP)
    _try(acme, acme.dave)

    with acme.inside():
        found = AuditEvent.objects.filter(type="user.sign_in_failed").order_by("created_at")
        assert [(event.reason, event.target_label) for event in found] == [
            ("passkey: wrong", ""),
            ("passkey: not allowed", "dave@acme.example"),
        ]


def test_where_the_address_is_a_number_nothing_is_offered(acme: Acme) -> None:
    browser = _browser("http://127.0.0.1")

    assert browser.get(HERE).status_code == 404
    assert browser.post(HERE, {"assertion": "{}", "challenge": "x"}).status_code == 403


def test_other_forms_are_none_of_ours(acme: Acme) -> None:
    browser = _browser()
    for fields in ({"assertion": "x" * 4097}, {"challenge": "x" * 1001}, {"user_id": "bob"}):
        assert browser.post(HERE, fields).status_code == 400
