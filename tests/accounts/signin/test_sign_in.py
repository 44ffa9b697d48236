"""Signing in with user ID and password, and the stages that follow."""

from urllib.parse import quote

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Session, User
from tenants.models import AuditEvent
from tests.accounts.signin.people import PROVE, SIGN_IN, browser, sign_in, text_of
from tests.cast import PASSWORD, Acme, app_code

COOKIE = settings.SESSION_COOKIE_NAME
WANTED = "/sign-in/sessions/?done=one"


def test_a_person_signs_in_and_lands_on_their_own_page(acme: Acme) -> None:
    client = browser(acme)
    assert text_of(client.get(SIGN_IN)).count('name="password"') == 1

    answer = sign_in(client, f" {acme.alice.user_id.upper()} ")

    assert answer.status_code == 303
    assert client.get(answer.headers["Location"], follow=True).status_code == 200
    with acme.inside():
        event = AuditEvent.objects.get(type="user.signed_in")
        assert (event.actor_label, event.data) == (acme.alice.user_id, {"methods": ["password"]})


def test_whoever_wanted_a_page_lands_there(acme: Acme) -> None:
    client = browser(acme)
    sent = client.get(WANTED)
    assert (
        sent.headers["Location"]
        == f"{SIGN_IN}?next={quote('/sign-in/sessions/?done=one', safe='')}"
    )
    assert 'value="/sign-in/sessions/?done=one"' in text_of(client.get(sent.headers["Location"]))

    answer = sign_in(client, acme.alice.user_id, next="/sign-in/sessions/?done=one")

    assert answer.headers["Location"] == "/sign-in/sessions/?done=one"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:1",
        "/x\r\nevil: 1",
    ],
)
def test_nobody_is_sent_to_another_site(elsewhere: str, acme: Acme) -> None:
    answer = sign_in(browser(acme), acme.alice.user_id, next=elsewhere)

    assert answer.status_code == 303
    assert "evil" not in answer.headers["Location"]
    assert answer.headers["Location"].startswith("/")


def test_an_administrator_proves_a_second_factor_before_the_site_opens(acme: Acme) -> None:
    client = browser(acme)

    answer = client.post("/admin/login/", {"user_id": acme.carol.user_id, "password": PASSWORD})

    assert answer.headers["Location"] == f"{PROVE}?next=%2Fadmin%2F"
    assert client.get("/admin/").status_code == 302
    page = text_of(client.get(answer.headers["Location"]))
    assert 'name="code"' in page
    wrong = client.post(f"{PROVE}verify/?next=/admin/", {"code": "000000"})
    assert wrong.status_code == 200
    before = client.cookies[COOKIE].value
    right = client.post(
        f"{PROVE}verify/?next=/admin/", {"code": app_code(acme.carol, timezone.now())}
    )
    assert (right.status_code, right.headers["Location"]) == (303, "/admin/")
    assert client.cookies[COOKIE].value != before
    assert client.get("/admin/").status_code == 200


def test_proving_keeps_one_row_of_the_session(acme: Acme) -> None:
    client = browser(acme, user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    sign_in(client, acme.carol.user_id, next="/admin/")
    client.get(f"{PROVE}?next=/admin/")
    client.post(f"{PROVE}verify/?next=/admin/", {"code": app_code(acme.carol, timezone.now())})

    with acme.inside():
        row = Session.objects.get()
        assert (row.browser, row.methods) == ("Firefox, Linux", ["password", "app_code"])
        assert User.objects.get(pk=acme.carol.pk).session_epoch == row.epoch
