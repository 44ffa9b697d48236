"""The interrupt: as few methods as needed, strongest first, and never in anybody's way."""

import base64
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import RequestFactory

from accounts.models import ContactPoint, User
from accounts.registration.interrupt import find_interrupt, interrupt_url, is_put_off
from accounts.signin.person import SignedIn
from accounts.signin.sessions import SessionStore
from tenants.models import ResetPolicy
from tests.accounts.registration.conftest import Post, SignIn, codes
from tests.accounts.registration.test_pages import words
from tests.cast import Acme, app_code, give_contact
from tests.resets.visitor import Clock, Visitor, trail, types

REGISTER = "/security-info/register/"
NEXT = "/oidc/authorize?client_id=shop&state=a%20b"


def asked(acme: Acme, user: User, clock: Clock) -> bool:
    with acme.inside():
        row = User.objects.select_related("tenant").get(pk=user.pk)
    return find_interrupt(SignedIn(row, row.tenant, None, ()), clock.now)


def scan(visitor: Visitor, user: User, clock: Clock) -> None:
    """Types the code of the app whose key the page shows."""
    key = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", visitor.shown.text)
    assert key is not None
    seed = base64.b32decode(key[1].replace(" ", ""))
    visitor.fill(code=app_code(user, clock.now, seed=seed))


def test_two_methods_are_set_up_strongest_first_and_then_on_to_where_one_wanted(
    acme: Acme, sign_in: SignIn, post: Post, clock: Clock
) -> None:
    visitor = sign_in(acme.eve, proved=False)
    assert asked(acme, acme.eve, clock)

    visitor.get(interrupt_url(NEXT))
    assert "Help yourself when you forget" in words(visitor)
    visitor.get(f"{REGISTER}?go=1")
    assert "Set up: Authenticator app" in words(visitor)
    assert "Step 1 of 2" in words(visitor)
    assert "Set up a different method" in words(visitor)
    visitor.get("/security-info/add/app_code/")
    visitor.fill(name="Phone")
    scan(visitor, acme.eve, clock)
    assert "Set up: Mobile phone" in words(visitor)
    assert "Step 2 of 2" in words(visitor)
    visitor.get("/security-info/add/email/")
    visitor.fill(contact="eve@example.org")
    visitor.fill(code=codes(post())[0])

    assert "You are set up" in words(visitor)
    assert NEXT.replace("&", "&amp;") in visitor.shown.text
    assert not asked(acme, acme.eve, clock)
    assert "registration.completed" in types(trail(acme))


def test_not_now_goes_on_to_where_one_wanted_and_is_asked_again(
    acme: Acme, sign_in: SignIn, clock: Clock
) -> None:
    visitor = sign_in(acme.eve, proved=False)
    visitor.get(interrupt_url(NEXT))
    form = visitor.shown.form
    token = form.values["csrfmiddlewaretoken"]
    with clock.running():
        answer = visitor.client.post(REGISTER, {"later": "1", "csrfmiddlewaretoken": token})

    assert (answer.status_code, answer.headers["Location"]) == (303, NEXT)
    assert "registration.put_off" in types(trail(acme))
    request = RequestFactory().get("/")
    with clock.running():
        request.session = SessionStore(visitor.client.cookies[settings.SESSION_COOKIE_NAME].value)
        request.session.load()
        was_put_off = is_put_off(request)
    with acme.inside():
        row = User.objects.select_related("tenant").get(pk=acme.eve.pk)
    person = SignedIn(row, row.tenant, None, ())
    assert asked(acme, acme.eve, clock)
    assert was_put_off
    assert not find_interrupt(person, clock.now, request)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site(
    acme: Acme, sign_in: SignIn, clock: Clock, wanted: str
) -> None:
    visitor = sign_in(acme.eve, proved=False)
    visitor.get(interrupt_url(wanted))
    token = visitor.shown.form.values["csrfmiddlewaretoken"]
    with clock.running():
        answer = visitor.client.post(REGISTER, {"later": "1", "csrfmiddlewaretoken": token})

    assert answer.headers["Location"] == "/security-info/"


def test_without_combined_registration_no_authenticator_is_asked_for(
    acme: Acme, sign_in: SignIn
) -> None:
    with acme.inside():
        ResetPolicy.objects.update(combined_registration=False)
    visitor = sign_in(acme.eve, proved=False)

    visitor.get(f"{REGISTER}?go=1")

    assert "Set up: Mobile phone" in words(visitor)
    assert "Authenticator app" not in words(visitor)
    assert visitor.get("/security-info/add/app_code/").status == 200


def test_an_office_phone_is_asked_for_only_where_a_number_is_on_file(
    acme: Acme, sign_in: SignIn
) -> None:
    with acme.inside():
        ResetPolicy.objects.update(methods=["office_phone", "email"], methods_required=1)
    visitor = sign_in(acme.eve, proved=False)
    visitor.get(f"{REGISTER}?go=1")
    assert "Office phone" not in words(visitor)
    assert "Set up: Email" in words(visitor)


def test_somebody_with_a_method_proves_it_before_anything_is_shown(
    acme: Acme, sign_in: SignIn, clock: Clock
) -> None:
    with acme.inside():
        give_contact(acme.eve, "alternate_email", "eve@example.net", confirmed=False)
    visitor = sign_in(acme.eve, proved=False)

    page = visitor.get(REGISTER)
    assert "e••••@" not in page.text
    with clock.running():
        answer = visitor.client.get(f"{REGISTER}?go=1")

    assert answer.headers["Location"].startswith("/sign-in/prove/?next=")


def make_due(acme: Acme, user: User, clock: Clock, days: int = 180) -> None:
    with acme.inside():
        at = clock.now - timedelta(days=days)
        User.objects.filter(pk=user.pk).update(registration_confirmed_at=at)


def test_everything_is_right_is_one_click(acme: Acme, sign_in: SignIn, clock: Clock) -> None:
    make_due(acme, acme.bob, clock)
    assert asked(acme, acme.bob, clock)
    visitor = sign_in(acme.bob)

    visitor.get(f"{REGISTER}?go=1")
    assert "Is this still right?" in words(visitor)
    assert "b••••@e••••.net" in words(visitor)
    visitor.fill()

    assert not asked(acme, acme.bob, clock)
    with acme.inside():
        assert User.objects.get(pk=acme.bob.pk).registration_confirmed_at == clock.now
    assert "registration.confirmed" in types(trail(acme))


def test_confirming_takes_a_proof_too(acme: Acme, sign_in: SignIn, clock: Clock) -> None:
    make_due(acme, acme.bob, clock)
    visitor = sign_in(acme.bob, proved=False)

    assert visitor.post(REGISTER, {"right": "1"}).status == 403

    assert asked(acme, acme.bob, clock)


def test_who_removes_a_needed_method_is_told_and_not_asked_before_the_next_confirmation(
    acme: Acme, sign_in: SignIn, clock: Clock
) -> None:
    make_due(acme, acme.bob, clock, days=10)
    with acme.inside():
        row = ContactPoint.objects.get(user=acme.bob)
    visitor = sign_in(acme.bob)
    visitor.get(f"/security-info/remove/email/{row.pk}/")
    assert "We don't ask you to add one before you confirm" in words(visitor)
    visitor.fill()

    assert not asked(acme, acme.bob, clock)
    make_due(acme, acme.bob, clock)
    assert asked(acme, acme.bob, clock)


def test_an_administrator_can_ask_for_it_anew(acme: Acme, sign_in: SignIn, clock: Clock) -> None:
    assert not asked(acme, acme.bob, clock)
    with acme.inside():
        User.objects.filter(pk=acme.bob.pk).update(must_register_since=clock.now)
    assert asked(acme, acme.bob, clock)
    clock.shift(seconds=1)
    visitor = sign_in(acme.bob)
    visitor.get(f"{REGISTER}?go=1")
    visitor.fill()

    assert not asked(acme, acme.bob, clock)


def test_a_stale_contact_asks_at_the_next_sign_in_and_is_right_when_its_owner_says_so(
    acme: Acme, sign_in: SignIn, clock: Clock
) -> None:
    with acme.inside():
        ContactPoint.objects.filter(user=acme.bob).update(stale_at=clock.now)
    assert asked(acme, acme.bob, clock)
    visitor = sign_in(acme.bob)
    visitor.get(f"{REGISTER}?go=1")
    assert "Messages to it come back" in words(visitor)
    visitor.fill()

    assert not asked(acme, acme.bob, clock)


def test_nobody_outside_the_policy_is_asked(acme: Acme, clock: Clock) -> None:
    with acme.inside():
        User.objects.filter(pk=acme.eve.pk).update(licence=None)

    assert not asked(acme, acme.eve, clock)
    assert not asked(acme, acme.gina, clock)
    assert not asked(acme, acme.petra, clock)


def test_a_first_method_takes_more_than_the_password_where_the_policy_says_so(
    acme: Acme, sign_in: SignIn
) -> None:
    with acme.inside():
        ResetPolicy.objects.update(register_with_password=False)
    without, with_pass = sign_in(acme.eve, proved=False), sign_in(acme.eve)

    assert without.get("/security-info/add/email/").status == 403
    assert "temporary access pass" in words(without)
    assert without.get(f"{REGISTER}?go=1").status == 403
    assert with_pass.get("/security-info/add/email/").status == 200
