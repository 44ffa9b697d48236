"""The manage page: what it says, who sees it, and what may be added, changed, removed."""

import base64
import re
from datetime import timedelta

import pytest

from accounts.contacts import find_value
from accounts.models import AuthenticatorDevice, ContactPoint, QuestionAnswer, User
from accounts.registration.registrable import MOST_AUTHENTICATORS, get_registrable
from tenants.models import ResetPolicy, Subscription
from tests.accounts.registration.conftest import Post, SignIn, codes
from tests.cast import Acme, Beta, app_code, give_app, give_mobile, give_office
from tests.resets.visitor import Clock, Visitor, trail, types

INDEX = "/security-info/"
APP = "/security-info/add/app_code/"
QUESTIONS = "/security-info/add/security_questions/"


def words(visitor: Visitor) -> str:
    text = re.sub(r"<[^>]+>", " ", visitor.shown.text)
    return " ".join(text.replace("&#x27;", "'").split())


@pytest.mark.parametrize(
    ("method", "most", "changes", "removes"),
    [
        ("app_code", 5, False, True),
        ("mobile_phone", 1, True, True),
        ("office_phone", 1, True, True),
        ("email", 1, True, True),
        ("security_questions", 1, False, True),
    ],
)
def test_each_method_is_registered_changed_and_deleted_as_in_entra(
    method: str, most: int, changes: bool, removes: bool
) -> None:
    found = get_registrable(method)

    assert (found.key, found.most, found.changes, found.removes) == (method, most, changes, removes)


def test_the_first_line_says_whether_a_reset_would_work(acme: Acme, sign_in: SignIn) -> None:
    ready, lacking = sign_in(acme.bob), sign_in(acme.eve, proved=False)
    ready.get(INDEX)
    lacking.get(INDEX)

    assert "You can reset your password on your own: yes" in words(ready)
    assert "You can reset your password on your own: no, add 2 more" in words(lacking)
    assert "Add: Authenticator app" in words(lacking)
    assert "Acme" in words(ready)
    assert "Sign out everywhere" in words(ready) or "sessions" not in ready.shown.text


def test_what_is_registered_is_masked_and_says_what_it_is_good_for(
    acme: Acme, sign_in: SignIn
) -> None:
    visitor = sign_in(acme.alice)
    visitor.get(INDEX)

    text = words(visitor)
    assert "a••••@e••••.net" in text
    assert "alice@example.net" not in visitor.shown.text
    assert "4255550101" not in visitor.shown.text
    assert "Security questions Reset: yes · Sign-in: no" in text


def test_nothing_is_shown_or_changed_before_a_fresh_proof(
    acme: Acme, sign_in: SignIn, clock: Clock
) -> None:
    visitor = sign_in(acme.alice)
    with acme.inside():
        row = ContactPoint.objects.get(user=acme.alice, kind="mobile_phone")
    clock.shift(minutes=5)

    for path in (INDEX, APP, f"/security-info/remove/mobile_phone/{row.pk}/"):
        with clock.running():
            answer = visitor.client.get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/prove/")
    visitor.page = None
    page = visitor.post(f"/security-info/remove/mobile_phone/{row.pk}/", {})

    assert page.status == 403
    with acme.inside():
        assert ContactPoint.objects.filter(pk=row.pk).exists()


def test_nobody_who_is_not_signed_in_sees_anything(acme: Acme, clock: Clock) -> None:
    visitor = Visitor(acme.host, clock)

    for path in (INDEX, APP, "/security-info/register/"):
        with clock.running():
            answer = visitor.client.get(path)
        assert answer.headers["Location"].startswith("/sign-in/?next=")


def test_what_the_policy_does_not_allow_is_not_added_and_counts_for_nothing(
    acme: Acme, sign_in: SignIn
) -> None:
    with acme.inside():
        ResetPolicy.objects.update(methods=["app_code", "email", "office_phone"])
    visitor = sign_in(acme.alice)
    visitor.get(INDEX)

    assert "Mobile phone Reset: no (Your organisation does not use it)" in words(visitor)
    assert visitor.get("/security-info/add/mobile_phone/").status == 403
    assert visitor.get("/security-info/add/passkey/").status in {403, 404}


def test_administrators_are_held_to_their_own_policy(acme: Acme, sign_in: SignIn) -> None:
    visitor = sign_in(acme.carol)

    assert visitor.get(QUESTIONS).status == 403
    assert visitor.get("/security-info/add/mobile_phone/").status == 200


def test_an_app_is_added_with_its_key_and_a_code(
    acme: Acme, sign_in: SignIn, post: Post, clock: Clock
) -> None:
    visitor = sign_in(acme.eve, proved=False)
    visitor.get(APP)
    page = visitor.fill(name="Work phone")

    assert "<svg" in page.text
    assert "style=" not in page.text
    key = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page.text)
    assert key is not None
    assert all(len(part) == 4 for part in key[1].split())
    seed = base64.b32decode(key[1].replace(" ", ""))
    wrong = f"{(int(app_code(acme.eve, clock.now, seed=seed)) + 1) % 10**6:06d}"
    assert "not right" in words_of(visitor.fill(code=wrong).text)
    code = app_code(acme.eve, clock.now, seed=seed)
    visitor.fill(code=code)

    assert visitor.path.startswith(INDEX)
    with acme.inside():
        device = AuthenticatorDevice.objects.get(user=acme.eve)
        assert device.read_seed().reveal() == seed
        assert (device.name, device.confirmed, device.last_step >= 0) == ("Work phone", True, True)
    assert "method.registered" in types(trail(acme))
    assert [m["kind"] for m in post()] == ["method_changed"]


def words_of(text: str) -> str:
    return text.replace("&#x27;", "'")


def test_nobody_has_more_than_five_authenticators_even_from_two_tabs(
    acme: Acme, sign_in: SignIn, clock: Clock
) -> None:
    with acme.inside():
        for number in range(MOST_AUTHENTICATORS - 2):
            give_app(acme.bob, bytes([number]) * 20)
    one, two = sign_in(acme.bob), sign_in(acme.bob)
    waiting = []
    for tab in (one, two):
        tab.get(APP)
        tab.fill(name="app")
        waiting.append(tab)

    # Each began when four were registered; begun twice, only what was begun last is alive.
    def finish(tab: Visitor) -> int:
        key = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", tab.shown.text)
        assert key is not None
        seed = base64.b32decode(key[1].replace(" ", ""))
        return tab.fill(code=app_code(acme.bob, clock.now, seed=seed)).status

    assert finish(two) == 200
    assert finish(one) in {409, 410}
    assert one.get(APP).status == 409
    with acme.inside():
        assert AuthenticatorDevice.objects.filter(user=acme.bob).count() == MOST_AUTHENTICATORS


def answered(count: int = 5) -> dict[str, str]:
    keys = ["first_pet", "birth_hospital", "first_street", "childhood_hero", "favourite_food"]
    found: dict[str, str] = {}
    for number, key in enumerate(keys[:count], start=1):
        found |= {f"question_{number}": key, f"answer_{number}": f"answer {number}"}
    return found


def test_questions_are_registered_as_many_as_the_policy_asks(acme: Acme, sign_in: SignIn) -> None:
    with acme.inside():
        ResetPolicy.objects.update(questions_to_register=4, custom_questions=["Where is the ship?"])
    visitor = sign_in(acme.bob)
    visitor.get(QUESTIONS)

    visitor.fill(**{**answered(4), "question_2": "Where is the ship?"})

    with acme.inside():
        rows = list(QuestionAnswer.objects.filter(user=acme.bob))
        assert {row.question for row in rows} == {
            "first_pet",
            "Where is the ship?",
            "first_street",
            "childhood_hero",
        }
        assert all(row.answer_hash.startswith("argon2") for row in rows)
    assert visitor.get(QUESTIONS).status == 409


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question_1": ""}, "Choose a question"),
        ({"question_1": "unheard_of"}, "Choose a question"),
        ({"question_2": "first_pet"}, "Choose each question once"),
        ({"answer_1": ""}, "Type an answer"),
        ({"answer_1": "ab"}, "3 to 40 characters"),
        ({"answer_1": "x" * 41}, "3 to 40 characters"),
        ({"answer_2": " ANSWER   1"}, "an answer of its own"),
        ({"answer_1": "bob@acme.example"}, "nor your user ID"),
        ({"answer_1": "What was your first pet called?"}, "nor your user ID"),
    ],
)
def test_a040_answers_that_are_none_are_not_registered(
    acme: Acme, sign_in: SignIn, change: dict[str, str], said: str
) -> None:
    visitor = sign_in(acme.bob)
    visitor.get(QUESTIONS)

    visitor.fill(**{**answered(), **change})

    assert said in words(visitor)
    with acme.inside():
        assert not QuestionAnswer.objects.filter(user=acme.bob).exists()


@pytest.mark.parametrize("length", [3, 40])
def test_the_shortest_and_the_longest_answer_are_registered(
    acme: Acme, sign_in: SignIn, length: int
) -> None:
    visitor = sign_in(acme.bob)
    visitor.get(QUESTIONS)
    visitor.fill(**{**answered(), "answer_1": "x" * length})

    with acme.inside():
        assert QuestionAnswer.objects.filter(user=acme.bob).count() == 5


def phone_of(acme: Acme, user: User, kind: str = "mobile_phone") -> str | None:
    with acme.inside():
        row = ContactPoint.objects.filter(user=user, kind=kind).first()
        return find_value(row) if row is not None else None


@pytest.mark.parametrize(
    ("country", "number", "channel", "kept"),
    [
        ("US", "(425) 555-0142", "sms", "+1 4255550142"),
        ("DE", "01512 3456789", "voice", "+49 15123456789"),
        ("", "+44 7400 123456", "sms", "+44 7400123456"),
        ("US", "+44 7400 123456", "sms", "+44 7400123456"),
        ("US", "٤٢٥٥٥٥٠١٤٢", "sms", "+1 4255550142"),
    ],
)
def test_a_number_is_kept_as_typed_in_its_country(
    acme: Acme, sign_in: SignIn, post: Post, country: str, number: str, channel: str, kept: str
) -> None:
    visitor = sign_in(acme.bob)
    visitor.get("/security-info/add/mobile_phone/")
    visitor.fill(country=country, number=number, channel=channel)
    sent = post()

    assert [(m["channel"], m["to"]) for m in sent] == [(channel, kept.replace(" ", ""))]
    visitor.fill(code=codes(sent)[0])
    assert phone_of(acme, acme.bob) == kept


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"country": "US", "number": ""}, "Type a phone number"),
        ({"country": "", "number": "4255550142"}, "Choose the country"),
        ({"country": "ZZ", "number": "4255550142"}, "Choose the country"),
        ({"country": "US", "number": "12"}, "can't be a phone number"),
        ({"country": "US", "number": "4255550142x1"}, "can't be a phone number"),
        ({"country": "US", "number": "9" * 60}, "can't be a phone number"),
        ({"country": "US", "number": "+1 900 555 0142"}, "can't send codes to this number"),
    ],
)
def test_what_is_no_number_or_costs_the_caller_is_refused(
    acme: Acme, sign_in: SignIn, post: Post, fields: dict[str, str], said: str
) -> None:
    visitor = sign_in(acme.bob)
    visitor.get("/security-info/add/mobile_phone/")

    visitor.fill(**fields)

    assert said in words(visitor)
    assert post() == []


def test_only_countries_the_organisation_sends_to_are_taken(
    acme: Acme, sign_in: SignIn, post: Post
) -> None:
    with acme.inside():
        ResetPolicy.objects.update(phone_countries=["US"])
    visitor = sign_in(acme.bob)
    visitor.get("/security-info/add/mobile_phone/")

    visitor.fill(country="", number="+44 7400 123456")

    assert "can't send codes to this number" in words(visitor)
    assert post() == []


def test_an_office_phone_keeps_its_extension_and_is_called(
    acme: Acme, sign_in: SignIn, post: Post
) -> None:
    visitor = sign_in(acme.bob)
    visitor.get("/security-info/add/office_phone/")
    visitor.fill(country="US", number="425 555 0100", extension="77")
    sent = post()

    assert [m["channel"] for m in sent] == ["voice"]
    visitor.fill(code=codes(sent)[0])
    assert phone_of(acme, acme.bob, "office_phone") == "+1 4255550100x77"


def test_five_text_messages_an_hour_are_the_end(acme: Acme, sign_in: SignIn, post: Post) -> None:
    visitor = sign_in(acme.bob)
    for number in range(6):
        visitor.get("/security-info/add/mobile_phone/")
        visitor.fill(country="US", number=f"425555014{number}", channel="sms")

    assert visitor.shown.status == 429
    assert len(post()) == 5


def test_a_trial_has_no_calls(acme: Acme, sign_in: SignIn) -> None:
    with acme.inside():
        Subscription.objects.update(plan="free")
    visitor = sign_in(acme.bob)

    page = visitor.get("/security-info/add/mobile_phone/")

    assert "channel" not in page.form.values
    with acme.inside():
        give_office(acme.bob)
    visitor.get(INDEX)
    assert "plan has no calls" in words(visitor)


def test_stale_contacts_are_shown(acme: Acme, sign_in: SignIn, clock: Clock) -> None:
    with acme.inside():
        row = give_mobile(acme.bob)
        ContactPoint.objects.filter(pk=row.pk).update(stale_at=clock.now - timedelta(days=1))
    visitor = sign_in(acme.bob)
    visitor.get(INDEX)

    assert "Messages to it come back" in words(visitor)
    assert "on your own: yes" in words(visitor)


def test_another_persons_and_another_organisations_entries_are_unknown(
    acme: Acme, beta: Beta, sign_in: SignIn
) -> None:
    with acme.inside():
        alices = ContactPoint.objects.get(user=acme.alice, kind="alternate_email").pk
    with beta.inside():
        betas = ContactPoint.objects.get(user=beta.alice, kind="alternate_email").pk
    visitor = sign_in(acme.bob)

    for entry in (alices, betas):
        assert visitor.get(f"/security-info/change/email/{entry}/").status == 404
        assert visitor.get(f"/security-info/remove/email/{entry}/").status == 404
        visitor.get("/security-info/add/mobile_phone/")
        assert visitor.post(f"/security-info/remove/email/{entry}/", {}).status == 404

    with acme.inside():
        assert ContactPoint.objects.filter(pk=alices).exists()


def test_a_partners_guest_registers_at_home(acme: Acme, sign_in: SignIn) -> None:
    visitor = sign_in(acme.gina)
    visitor.get(INDEX)

    assert "Your own organisation keeps your password" in words(visitor)
    assert visitor.get(APP).status == 403
