"""Signing in to the administration site (A-100) and the life of its sessions (A-086, 3.11)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from accounts.models import Session, User
from accounts.signin import admin_login
from accounts.signin.sessions import ADMINISTRATION
from tenants.context import tenant_context
from tenants.lookup import platform_id
from tenants.models import AuditEvent, Counter, ResetPolicy, Tenant
from tests.services.signed_in import prove_client
from tests.tenants.admin.cast import (
    NOW,
    PASSWORD,
    House,
    canary,
    contoso,
    make_person,
    signed_in,
    try_sign_in,
)

COOKIE = settings.SESSION_COOKIE_NAME
WRONG = admin_login.WRONG


@pytest.fixture
def own(db: None) -> House:
    return contoso()


@pytest.fixture
def other(db: None) -> House:
    return canary()


def events(house: House, event_type: str) -> list[AuditEvent]:
    with tenant_context(house.tenant):
        return list(AuditEvent.objects.filter(type=event_type).order_by("created_at", "id"))


def change(house: House, **fields: object) -> None:
    with tenant_context(house.tenant):
        User.objects.filter(user_id=house.admin).update(**fields)


def to_prove(wanted: str) -> str:
    """The address of the second factor, on the way there."""
    return f"/sign-in/prove/?{urlencode({'next': wanted})}"


def is_open(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def is_refused(response: HttpResponse) -> bool:
    return response.status_code == 200 and WRONG in response.content.decode()


@pytest.mark.parametrize("host", ["localhost", "contoso.localhost"])
def test_an_administrator_signs_in_and_the_trail_says_so(host: str, own: House) -> None:
    client = Client(headers={"host": host})

    response = try_sign_in(f" {own.admin.upper()} ", client=client, host=host)

    assert (response.status_code, response.headers["Location"]) == (302, to_prove("/admin/"))
    assert not is_open(client)
    prove_client(client)
    assert is_open(client)
    [event] = events(own, "admin.signed_in")
    assert (event.actor_label, event.result, event.address) == (own.admin, "success", "127.0.0.1")


REFUSALS: dict[str, Callable[[House], str]] = {
    "a wrong password": lambda own: own.admin,
    "somebody unknown": lambda own: f"nobody@{own.domain}",
    "an unknown domain": lambda own: "nobody@nowhere.example",
    "no user ID at all": lambda own: "' OR 1=1 --",
    "a null byte": lambda own: f"a\x00b@{own.domain}",
    "no administrator": lambda own: own.person,
    "disabled": lambda own: own.admin,
    "frozen": lambda own: own.admin,
    "without a role": lambda own: own.admin,
    "without a password": lambda own: own.admin,
    "a role that only reads": lambda own: own.admin,
    "a suspended tenant": lambda own: own.admin,
}
CHANGES: dict[str, dict[str, object]] = {
    "disabled": {"is_active": False},
    "frozen": {"frozen_at": NOW},
    "without a role": {"roles": []},
    "without a password": {"password": "!"},
    "a role that only reads": {"roles": ["reports_reader"]},
}


@pytest.mark.parametrize("host", ["localhost", "contoso.localhost"])
@pytest.mark.parametrize("who", REFUSALS)
def test_everybody_else_gets_one_answer(who: str, host: str, own: House) -> None:
    user_id = REFUSALS[who](own)
    if who in CHANGES:
        change(own, **CHANGES[who])
    if who == "a suspended tenant":
        with tenant_context(own.tenant):
            Tenant.objects.update(active=False)
    client = Client(headers={"host": host})
    password = "not this one" if who == "a wrong password" else PASSWORD

    response = try_sign_in(user_id, password, client=client, host=host)

    if who == "a suspended tenant" and host != "localhost":
        assert response.status_code == 404
    else:
        assert is_refused(response)
    assert COOKIE not in response.cookies
    assert not is_open(client)
    assert events(own, "admin.signed_in") == []


def test_the_answers_differ_in_nothing_but_what_was_typed(own: House) -> None:
    pages = []
    for user_id in (own.admin, f"nobody@{own.domain}", own.person, "x@nowhere.example", "?"):
        text = try_sign_in(user_id, "not this one").content.decode()
        without_token = "\n".join(line for line in text.splitlines() if "csrf" not in line)
        pages.append(without_token.replace(f'value="{user_id}"', ""))

    assert len(set(pages)) == 1


def test_a_refusal_is_in_the_trail_but_what_an_unknown_person_typed_is_not(own: House) -> None:
    for user_id in (own.admin, own.person, f"my-password@{own.domain}"):
        try_sign_in(user_id, "not this one")

    found = events(own, "admin.sign_in_failed")
    assert [event.target_label for event in found] == [own.admin, own.person, ""]
    assert {event.actor_label for event in found} == {""}
    assert {event.result for event in found} == {"failure"}


@pytest.mark.parametrize("user_id", ["ada@contoso.example", "x@contoso.example", "x@nowhere.test"])
def test_the_sixth_try_is_refused_even_with_the_right_password(user_id: str, own: House) -> None:
    with time_machine.travel(NOW, tick=False):
        tries = [try_sign_in(user_id, "not this one") for _ in range(5)]
        sixth = try_sign_in(user_id)

    assert all(is_refused(response) for response in tries)
    assert sixth.status_code == 429
    assert "09:45 UTC" in sixth.content.decode()
    assert sixth.headers["Retry-After"] == "900"
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        later = try_sign_in(user_id)
    assert later.status_code == (302 if user_id == own.admin else 200)


def test_the_last_try_says_so_in_the_trail_and_later_ones_do_not_fill_it(own: House) -> None:
    with time_machine.travel(NOW, tick=False):
        for _ in range(8):
            try_sign_in(own.admin, "not this one")

    found = events(own, "admin.sign_in_failed")
    assert sorted(event.result for event in found) == ["denied"] + ["failure"] * 4
    [last] = [event for event in found if event.result == "denied"]
    assert "no more tries until 09:45 UTC" in last.reason


def test_one_address_has_twenty_tries_an_hour_over_all_people(own: House) -> None:
    with time_machine.travel(NOW, tick=False):
        tries = [try_sign_in(f"person{number}@{own.domain}", "no") for number in range(20)]
        last = try_sign_in(own.admin)

    assert {response.status_code for response in tries} == {200}
    assert last.status_code == 429


def test_an_address_of_a_trusted_proxy_is_looked_behind(own: House, settings: Settings) -> None:
    settings.SSPR_TRUSTED_PROXIES = ["127.0.0.1"]
    client = Client(headers={"x-forwarded-for": "203.0.113.9, 198.51.100.4"})

    try_sign_in(own.admin, "not this one", client=client)

    [event] = events(own, "admin.sign_in_failed")
    assert event.address == "198.51.100.4"


def test_signing_in_takes_its_try_back(own: House) -> None:
    for _ in range(8):
        assert try_sign_in(own.admin).status_code == 302


def test_a_tenant_may_allow_fewer_tries(own: House) -> None:
    with tenant_context(own.tenant):
        ResetPolicy.objects.update(limits={"admin_sign_in": 2})

    tries = [try_sign_in(own.admin, "not this one").status_code for _ in range(3)]

    assert tries == [200, 200, 429]


@pytest.mark.django_db(transaction=True)
def test_a_try_stays_counted_when_judging_it_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    own = contoso()

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the hasher is gone")

    monkeypatch.setattr(admin_login, "authenticate", broken)
    client = Client(raise_request_exception=False)

    statuses = [try_sign_in(own.admin, client=client).status_code for _ in range(6)]

    assert statuses == [500] * 5 + [429]
    with tenant_context(own.tenant):
        assert Counter.objects.get(limit="admin_sign_in").count == 6


def test_nothing_is_counted_where_nothing_was_typed(own: House) -> None:
    for user_id, password in (("", PASSWORD), (own.admin, "")):
        response = try_sign_in(user_id, password)
        assert admin_login.INCOMPLETE in response.content.decode()

    with tenant_context(own.tenant):
        assert Counter.objects.count() == 0


def test_a_person_signs_in_on_the_own_host_alone(own: House, other: House) -> None:
    on_other = try_sign_in(own.admin, host=other.host)
    on_own = try_sign_in(own.admin, host=own.host)

    assert is_refused(on_other)
    assert on_own.status_code == 302


def test_the_same_user_id_in_two_tenants_is_two_people(own: House, other: House) -> None:
    with tenant_context(other.tenant):
        make_person(own.admin, "Impostor", roles=["global_administrator"])

    client = signed_in(own.admin)

    assert "Contoso" in client.get("/admin/").content.decode()
    assert events(other, "admin.signed_in") == []


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("/admin/accounts/user/", "/admin/accounts/user/"),
        ("https://evil.example/admin/", "/admin/"),
        ("//evil.example/admin/", "/admin/"),
        ("/\\evil.example", "/admin/"),
        ("/reset/", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
    ],
)
def test_the_way_on_stays_on_the_site(wanted: str, target: str, own: House) -> None:
    assert try_sign_in(own.admin, next=wanted).headers["Location"] == to_prove(target)


def test_a_planted_session_key_is_not_the_one_after_signing_in(own: House) -> None:
    first = signed_in(own.admin)
    planted = first.cookies[COOKIE].value
    victim = Client()
    for value in (planted, f"{own.tenant.hex}.planted"):
        victim.cookies[COOKIE] = value

        response = try_sign_in(own.admin, client=victim)

        assert response.status_code == 302
        assert response.cookies[COOKIE].value not in {planted, value}
        prove_client(victim)
        assert is_open(victim)
    assert not is_open(first)


def test_a_session_of_another_tenant_is_ended_before_one_of_this_is_begun(
    own: House, other: House
) -> None:
    client = signed_in(other.admin)

    first = try_sign_in(own.admin, client=client)
    second = first if first.status_code == 302 else try_sign_in(own.admin, client=client)

    assert second.status_code == 302
    prove_client(client)
    text = client.get("/admin/").content.decode()
    assert own.admin in text
    assert other.admin not in text


def test_signing_out_ends_the_session_for_good(own: House) -> None:
    client = signed_in(own.admin)
    key = client.cookies[COOKIE].value

    assert is_open(client)
    assert client.get("/admin/logout/").status_code == 405
    assert "You are signed out" in client.post("/admin/logout/").content.decode()

    client.cookies[COOKIE] = key
    assert not is_open(client)
    with tenant_context(own.tenant):
        assert Session.objects.count() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"session_epoch": 1},
        {"is_active": False},
        {"frozen_at": NOW},
        {"roles": []},
        {"password": "another hash"},
    ],
)
def test_a_session_ends_when_its_person_changes(fields: dict[str, object], own: House) -> None:
    client = signed_in(own.admin)
    assert is_open(client)

    change(own, **fields)

    assert not is_open(client)


def test_a_session_ends_when_its_tenant_is_suspended(own: House) -> None:
    client = signed_in(own.admin)
    assert is_open(client)

    with tenant_context(own.tenant):
        Tenant.objects.update(active=False)

    assert not is_open(client)


def test_saving_a_dead_session_does_not_bring_it_back(own: House) -> None:
    client = signed_in(own.admin)
    session = client.session
    assert session["_auth_user_id"]

    change(own, session_epoch=1)
    session["late"] = "write"
    session.save()

    assert not is_open(client)


def test_a_session_ends_when_it_is_idle_and_four_hours_after_signing_in(own: House) -> None:
    def client_at(moment: datetime) -> Client:
        with time_machine.travel(moment, tick=False):
            return signed_in(own.admin)

    def is_open_at(client: Client, moment: datetime) -> bool:
        with time_machine.travel(moment, tick=False):
            return is_open(client)

    idle, busy = client_at(NOW), client_at(NOW)
    steps = [NOW + timedelta(minutes=9) * number for number in range(1, 27)]

    assert all(is_open_at(busy, moment) for moment in steps)
    assert not is_open_at(busy, NOW + timedelta(hours=4, seconds=1))
    assert not is_open_at(idle, NOW + ADMINISTRATION.idle + timedelta(seconds=1))


def test_the_cookie_is_lax_and_only_its_hash_is_kept(own: House) -> None:
    client = signed_in(own.admin)
    cookie = client.cookies[COOKIE]

    assert (cookie["samesite"], bool(cookie["httponly"])) == ("Lax", True)
    with tenant_context(own.tenant):
        row = Session.objects.get()
    assert cookie.value.encode() not in bytes(row.key_hash)
    assert cookie.value not in row.data


def test_tries_at_an_unknown_domain_belong_to_the_installation(own: House) -> None:
    try_sign_in("x@nowhere.example", "not this one")

    assert events(own, "admin.sign_in_failed") == []
    with tenant_context(platform_id()):
        [event] = AuditEvent.objects.filter(type="admin.sign_in_failed")
    assert (event.actor_kind, event.target_label) == ("anonymous", "")
