"""Who enters the operator site, and that an organisation is opened with a reason (R-4)."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.signin.admin_login import WRONG_OPERATOR
from accounts.signin.sessions import ADMINISTRATION
from resets.services import Origin, start
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tenants.operator.directory import find_listed, find_owner, page_of
from tenants.services import get_platform
from tests.cast import CANARY, PASSWORD, Acme, Beta
from tests.services.signed_in import prove_client
from tests.tenants.admin.cast import try_sign_in
from tests.tenants.operator_cast import (
    OPERATOR,
    OPERATOR_PASSWORD,
    REASON,
    events_in,
    make_operator,
    opened,
    operator_client,
    try_operator,
    types_in,
)

pytestmark = pytest.mark.django_db
PAGES = ("", "plan/", "names/", "state/")


@pytest.fixture(autouse=True)
def _operator() -> None:
    make_operator()


def one(acme: Acme, page: str = "") -> str:
    return f"/operator/tenants/{acme.id}/{page}"


def test_an_operator_signs_in_and_the_trail_of_the_installation_says_so() -> None:
    client = Client(headers={"host": "localhost"})
    answer = try_operator(client)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in/prove/?next=%2Foperator%2F"
    assert client.get("/operator/tenants/").status_code == 302
    prove_client(client)
    assert client.get("/operator/tenants/").status_code == 200
    [event] = events_in(get_platform(), "operator.signed_in")
    assert (event.actor_kind, event.actor_label) == ("operator", OPERATOR)
    with tenant_context(get_platform()):
        assert Session.objects.count() == 1


@pytest.mark.parametrize("who", ["carol@acme.example", "alice@acme.example", "nobody@ops.example"])
def test_everybody_else_gets_one_answer_and_is_counted(who: str, acme: Acme) -> None:
    client = Client(headers={"host": "localhost"})

    answers = [try_operator(client, who, PASSWORD) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert WRONG_OPERATOR in answers[0].content.decode()
    assert client.get("/operator/").status_code == 302
    assert types_in(acme.id, "operator") == []


def test_somebody_of_a_tenant_is_no_operator_whatever_their_roles_say(acme: Acme) -> None:
    with acme.inside():
        User.objects.filter(pk=acme.carol.pk).update(roles=["global_administrator", "operator"])
    client = Client(headers={"host": "localhost"})
    assert try_sign_in(acme.carol.user_id, PASSWORD, client=client).status_code == 302
    prove_client(client)
    assert client.get("/admin/").status_code == 200

    answer = client.get("/operator/tenants/")

    assert answer.status_code == 403
    [event] = events_in(acme.id, "admin.denied")
    assert event.data == {"path": "/operator/tenants/"}


def test_an_operator_can_not_enter_the_administration_of_anybody(acme: Acme) -> None:
    client = operator_client()

    for path in ("/admin/", "/admin/accounts/user/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/admin/login/")
    assert "not an administrator" in try_sign_in(OPERATOR, OPERATOR_PASSWORD).content.decode()


def test_on_a_host_of_an_organisation_there_is_no_operator_site(acme: Acme) -> None:
    client = operator_client()

    for path in ("/operator/", "/operator/login/", "/operator/tenants/", "/operator/health/"):
        assert client.get(path, headers={"host": acme.host}).status_code == 404


def test_the_session_ends_when_it_is_idle_and_when_the_operator_is_disabled() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = operator_client()
        clock.shift(ADMINISTRATION.idle - timedelta(seconds=1))
        assert client.get("/operator/tenants/").status_code == 200
        clock.shift(ADMINISTRATION.idle)
        assert client.get("/operator/tenants/").status_code == 302

        client = operator_client()
        clock.shift(timedelta(seconds=1))
        with tenant_context(get_platform()):
            User.objects.update(is_active=False)
        assert client.get("/operator/tenants/").status_code == 302
    assert ADMINISTRATION.absolute <= timedelta(hours=4)


@pytest.mark.parametrize("page", PAGES)
def test_nothing_of_an_organisation_is_shown_before_a_reason_is_in_its_trail(
    page: str, acme: Acme
) -> None:
    client = operator_client()

    closed = client.get(one(acme, page))
    assert closed.status_code == 302
    assert closed.headers["Location"].startswith(one(acme, "open/"))
    assert client.post(one(acme, page), {"reason": REASON, "plan": "free"}).status_code == 302
    assert types_in(acme.id) == []
    assert "short" not in client.get(one(acme, "open/")).content.decode()
    for reason in ("", "because", " " * 30):
        assert client.post(one(acme, "open/"), {"reason": reason}).status_code == 200
    assert types_in(acme.id) == []

    client.post(one(acme, "open/"), {"reason": REASON})
    assert client.get(one(acme, page)).status_code == 200

    [event] = events_in(acme.id)
    assert (event.type, event.actor_kind, event.actor_label, event.address) == (
        "operator.accessed",
        "operator",
        OPERATOR,
        "127.0.0.1",
    )
    assert event.data == {"tenant": "acme", "purpose": REASON}
    [same] = events_in(get_platform(), "operator.accessed")
    assert same.data == event.data


def test_a_trail_that_can_not_be_written_keeps_the_organisation_closed(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = operator_client()
    client.raise_request_exception = False

    def fail(*args: object, **more: object) -> None:
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("tenants.audit.record", fail)
        assert client.post(one(acme, "open/"), {"reason": REASON}).status_code == 500
    assert client.get(one(acme)).status_code == 302
    opened(acme.id, client)
    assert client.get(one(acme)).status_code == 200


def test_a_reason_counts_for_half_an_hour_for_one_organisation_in_one_session(
    acme: Acme, beta: Beta
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = opened(acme.id)
        assert client.get(one(acme)).status_code == 200
        assert client.get(f"/operator/tenants/{beta.id}/").status_code == 302
        assert operator_client().get(one(acme)).status_code == 302
        for _ in range(4):
            clock.shift(timedelta(minutes=7))
            assert client.get(one(acme)).status_code == 200
        clock.shift(timedelta(minutes=3))
        assert client.get(one(acme)).status_code == 302
    assert types_in(beta.id) == []


def test_the_way_on_after_a_reason_stays_with_the_organisation(acme: Acme) -> None:
    client = operator_client()
    for wanted in ("https://elsewhere.example/", "/operator/health/", "//elsewhere.example"):
        answer = client.post(one(acme, "open/"), {"reason": REASON, "next": wanted})
        assert answer.headers["Location"] == one(acme)
    answer = client.post(one(acme, "open/"), {"reason": REASON, "next": one(acme, "plan/")})
    assert answer.headers["Location"] == one(acme, "plan/")


def test_an_opened_organisation_shows_rules_and_numbers_and_nothing_of_its_people(
    beta: Beta,
) -> None:
    client = opened(beta.id)

    text = "".join(
        client.get(f"/operator/tenants/{beta.id}/{page}").content.decode() for page in PAGES
    )

    assert beta.domain in text
    assert beta.host in text
    assert "2, of them 0 disabled" in text
    name = beta.tenant.name
    assert CANARY not in text.replace(name, "")
    for secret in (beta.alice.user_id, "alice@example.net", "argon2", "+1 425"):
        assert secret not in text


@pytest.mark.parametrize("path", ["", "open/", "plan/", "names/", "state/"])
def test_the_installation_itself_and_what_is_not_there_have_no_page(path: str) -> None:
    client = operator_client()
    for tenant in (get_platform(), uuid4()):
        assert client.get(f"/operator/tenants/{tenant}/{path}").status_code == 404


def test_the_list_finds_by_the_beginning_of_short_name_name_and_domain(
    acme: Acme, beta: Beta
) -> None:
    client = operator_client()
    wanted = {
        "": ["acme", "beta"],
        "AC": ["acme"],
        "acme.ex": ["acme"],
        "beta-can": ["beta"],
        "cme": [],
        "%": [],
        "_": [],
    }
    for typed, slugs in wanted.items():
        assert [row.slug for row in page_of(typed).rows] == slugs, typed
    text = client.get("/operator/tenants/?q=acme").content.decode()
    assert "<td>9</td>" in text
    assert "<td>P1</td>" in text
    assert "beta" not in text
    assert client.get("/operator/tenants/?q=%00").status_code == 404
    assert types_in(acme.id) == []


def test_the_list_is_paged_by_short_name_both_ways(
    acme: Acme, beta: Beta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.operator.directory.PAGE", 1)

    first = page_of("")
    second = page_of("", after="acme")
    back = page_of("", before="beta")

    assert [row.slug for row in first.rows] == ["acme"]
    assert (first.has_previous, first.has_next) == (False, True)
    assert [row.slug for row in second.rows] == ["beta"]
    assert (second.has_previous, second.has_next) == (True, False)
    assert back.rows == first.rows
    assert (back.has_previous, back.has_next) == (False, True)


def test_the_functions_behind_the_site_answer_nobody_but_the_installation(
    acme: Acme, beta: Beta
) -> None:
    questions = (
        "SELECT * FROM sspr_operator_tenants(%s, '', '', '', 10)",
        "SELECT * FROM sspr_operator_owner('slug', 'beta') WHERE tenant = %s",
        "SELECT * FROM sspr_operator_backlog(now()) WHERE %s::uuid IS NOT NULL",
        "SELECT * FROM sspr_operator_numbers(%s)",
    )
    for question in questions:
        answers = []
        for tenant in (get_platform(), acme.id):
            with tenant_context(tenant), connection.cursor() as cursor:
                cursor.execute(question, [beta.id])
                answers.append(len(cursor.fetchall()))
        with connection.cursor() as cursor:
            cursor.execute(question, [beta.id])
            answers.append(len(cursor.fetchall()))
        assert answers[0] > 0, question
        assert answers[1:] == [0, 0], question
    assert find_owner("slug", "beta") == (beta.id, "beta")
    listed = find_listed(beta.id)
    assert listed is not None
    assert listed.people == 2


def test_the_portal_knows_no_operator(acme: Acme) -> None:
    started = start(
        OPERATOR,
        host_tenant=None,
        organisation="",
        origin=Origin("192.0.2.1", "en"),
        now=timezone.now(),
    )

    assert started.handle is not None
    [event] = events_in(get_platform(), "flow.refused")
    assert event.data["reason"] == "SSPR_0011"
    with tenant_context(get_platform()):
        assert not AuditEvent.objects.filter(type="flow.options_presented").exists()
