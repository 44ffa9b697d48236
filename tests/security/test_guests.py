"""A-098, A-099: guests whose home is another organisation; and the B2B cases, over the wire."""

import pytest

from accounts.models import Credential, User
from accounts.people import find_user
from resets.models import Flow
from tests.cast import NEW_PASSWORD, PASSWORD, give_app, give_email, make_person
from tests.resets.walks import mailed_path, password_is, set_policy, set_tenant
from tests.security.lab.client import Answer, Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.lab import Lab
from tests.security.test_own_codes import PASS

PEOPLE = "/admin/accounts/user/"
INVITE = f"{PEOPLE}invite/"
GINA_EMAIL = "gina@private.example"


def _asked(desk: Browser, path: str, **fields: str) -> Answer:
    desk.get(path)
    return desk.post(path, {"reason": "Works with us", **fields}, follow=False)


def _invited(lab: Lab, email: str, **fields: str) -> str:
    """The path of the link in the mail to somebody whom acme's administrator invited."""
    answer = _asked(lab.signed_in(lab.acme.carol), INVITE, email=email, **fields)
    assert answer.status == 302
    return _mailed_path(lab, email)


def _mailed_path(lab: Lab, email: str) -> str:
    mails = [mail for mail in lab.messages() if mail["to"] == email]
    return mailed_path(mails[-1], "/invitation/")


def _joined(lab: Lab, path: str, **fields: str) -> Browser:
    guest = lab.browser()
    guest.get(path)
    guest.post(path, {"display_name": "A guest", **fields})
    assert guest.state == "joined"
    return guest


@pytest.fixture
def gina(lab: Lab) -> User:
    """Whom acme knows as a guest; at home she has an app and a mailbox, and two are asked for."""
    with lab.beta.inside():
        person = make_person("gina", lab.beta.domain, licence=lab.beta.subscription)
        give_app(person)
        give_email(person, GINA_EMAIL)
    set_policy(lab.beta, methods=["app_code", "email"], methods_required=2)
    lab.leave_alone()
    return person


def test_a098_who_is_invited_from_another_organisation_gets_no_password_there_and_changes_nothing(
    lab: Lab,
) -> None:
    """Everything up to the join leaves not a row of beta changed, which the lab looks after."""
    known, unknown = lab.beta.alice.user_id, "anybody@beta.example"
    paths = {email: _invited(lab, email) for email in (known, unknown)}
    pages = {}
    for email, path in paths.items():
        browser = lab.browser()
        browser.get(path)
        assert browser.page.form.typed == ["display_name"]
        browser.post(path, {"display_name": "A guest", "new_password": NEW_PASSWORD})
        pages[email] = browser.walk

    typed = [text for email in paths for text in (email, email.replace("@", "_"), paths[email])]
    assert_uniform(pages[known], pages[unknown], typed=typed)
    with lab.acme.inside():
        for email in (known, unknown):
            guest = find_user(email)
            assert guest is not None
            assert (guest.origin, guest.home) == ("partner", "beta")
            assert not guest.has_usable_password()


def test_a098_a_reset_at_the_inviting_organisation_proves_nothing_at_home(lab: Lab) -> None:
    _joined(lab, _invited(lab, lab.beta.alice.user_id))
    lab.leave_alone()
    before = (lab.beta.alice.password, lab.beta.alice.session_epoch)

    thief = lab.begun(lab.beta.alice.user_id)
    assert thief.state == "proving"
    thief.submit(NEW_PASSWORD)
    thief.verify("000000")

    assert thief.state != "done"
    with lab.acme.inside():
        assert not Flow.objects.exists()
    with lab.beta.inside():
        alice = User.objects.get(pk=lab.beta.alice.pk)
    assert (alice.password, alice.session_epoch) == before
    assert password_is(lab.beta, alice, PASSWORD)


def test_a099_the_home_organisation_decides_how_much_is_proved(lab: Lab, gina: User) -> None:
    lab.policy(methods=["email", "app_code", "temporary_access_pass"], methods_required=1)

    person = lab.begun(gina.user_id)
    person.choose("app_code")
    person.verify(lab.app_code(gina))

    assert person.state == "proving"
    person.choose("email", GINA_EMAIL)
    person.verify(lab.code())
    person.submit(NEW_PASSWORD)
    assert person.state == "done"
    assert password_is(lab.beta, gina, NEW_PASSWORD)
    with lab.acme.inside():
        assert not Flow.objects.exists()


def test_a099_nothing_an_inviting_administrator_does_to_a_guest_reaches_the_home(
    lab: Lab, gina: User
) -> None:
    lab.policy(methods=["email", "app_code", "temporary_access_pass"], methods_required=1)
    desk, guest = lab.signed_in(lab.acme.carol), lab.acme.gina
    own = f"{PEOPLE}{guest.pk}/"

    answers = [
        _asked(desk, f"{own}issue-pass/", minutes="30"),
        _asked(desk, f"{own}require-change/"),
        _asked(desk, f"{own}end-sessions/"),
        desk.get(f"{PEOPLE}{gina.pk}/change/"),
    ]

    # A pass is shown; somebody without a password here has none to change; sessions end.
    assert [answer.status for answer in answers[:3]] == [200, 404, 302]
    [issued] = PASS.findall(answers[0].text)
    lab.keep_secret(issued, issued.replace("-", ""))
    assert answers[3].status in {302, 404}
    person = lab.begun(gina.user_id)
    assert "temporary_access_pass" not in person.page.form.choices.get("method", [])
    with lab.beta.inside():
        now = User.objects.get(pk=gina.pk)
        assert not Credential.objects.exists()
    assert (now.password, now.must_change_password) == (gina.password, gina.must_change_password)


# The four cases of guests: partner, self-service sign-up, invitation, personal account.


def test_b2b_a_partner_resets_by_the_rules_of_the_own_organisation(lab: Lab, gina: User) -> None:
    set_policy(lab.beta, enabled="none")
    assert lab.begun(gina.user_id).state == "refused"

    set_policy(lab.beta, enabled="all", methods_required=1)
    person = lab.begun(gina.user_id)
    person.choose("app_code")
    person.verify(lab.app_code(gina))
    person.submit(NEW_PASSWORD)

    assert person.state == "done"
    assert password_is(lab.beta, gina, NEW_PASSWORD)


@pytest.mark.parametrize("way", ["self_service_sign_up", "invitation"])
def test_b2b_who_signed_up_or_was_invited_resets_with_the_registered_email(
    lab: Lab, way: str
) -> None:
    email = "ines@outside.example"
    lab.policy(methods=["app_code", "mobile_phone"], methods_required=1)
    if way == "invitation":
        path = _invited(lab, email)
    else:
        set_tenant(lab.acme, guest_sign_up=True)
        door = lab.browser()
        door.post("/sign-up/", {"email": email, **door.admission("/sign-up/")})
        assert door.state == "sign_up_sent"
        path = _mailed_path(lab, email)
    lab.keep_secret("Ostrich-Lantern-55-Bay", NEW_PASSWORD)
    _joined(lab, path, new_password="Ostrich-Lantern-55-Bay")

    person = lab.begun(email)
    person.choose("email", email)
    person.verify(lab.code())
    person.submit(NEW_PASSWORD)

    assert person.state == "done"
    with lab.acme.inside():
        guest = find_user(email)
    assert guest is not None
    assert guest.origin == way
    assert lab.password_is(guest, NEW_PASSWORD)


def test_b2b_a_personal_account_is_refused_with_a_pointer(lab: Lab) -> None:
    email = "ines@mail.example"
    _joined(lab, _invited(lab, email, personal="on"))

    person = lab.begun(email)

    assert person.state == "refused"
    assert "personal account" in person.page.text
    [event] = lab.trail(type="flow.refused")
    assert event.reason == "personal_account"
