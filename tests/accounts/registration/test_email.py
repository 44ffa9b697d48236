"""Another mailbox: proved before it is saved, changed, confirmed, removed."""

from datetime import timedelta

import pytest

from accounts.contacts import find_value
from accounts.models import ContactPoint, PendingRegistration, User
from tenants.limits import TRIES_PER_CHALLENGE
from tests.accounts.registration.conftest import Post, SignIn, codes
from tests.cast import Acme, give_contact, give_primary_email
from tests.resets.visitor import Clock, Visitor, trail, types

ADD, INDEX = "/security-info/add/email/", "/security-info/"
NEW = "eve.private@example.org"


def email_of(acme: Acme, user: User) -> ContactPoint | None:
    with acme.inside():
        found: ContactPoint | None = ContactPoint.objects.filter(
            user=user, kind="alternate_email"
        ).first()
        return found


def value_of(acme: Acme, user: User) -> str | None:
    row = email_of(acme, user)
    with acme.inside():
        return find_value(row) if row is not None else None


def begin(visitor: Visitor, address: str = NEW, path: str = ADD) -> None:
    visitor.get(path)
    visitor.fill(contact=address)


def test_a_mailbox_is_saved_once_its_code_was_typed(
    acme: Acme, sign_in: SignIn, post: Post, clock: Clock
) -> None:
    visitor = sign_in(acme.eve, proved=False)

    begin(visitor)

    sent = post()
    assert [message["to"] for message in sent] == [NEW]
    assert email_of(acme, acme.eve) is None
    page = visitor.fill(code=codes(sent)[0])
    assert visitor.path.startswith(INDEX)
    assert "Saved." in page.text
    assert value_of(acme, acme.eve) == NEW
    row = email_of(acme, acme.eve)
    assert row is not None
    assert row.confirmed_at == clock.now
    assert types(trail(acme, type__startswith="method.")) == [
        "method.code_sent",
        "method.registered",
    ]
    told = post()
    assert [(m["kind"], m["to"]) for m in told] == [("method_changed", "eve@acme.example")]


def test_a_wrong_code_saves_nothing_and_five_are_the_end(
    acme: Acme, sign_in: SignIn, post: Post
) -> None:
    visitor = sign_in(acme.eve, proved=False)
    begin(visitor)
    right = codes(post())[0]
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    pending = visitor.shown.form.values["pending"]

    for left in range(TRIES_PER_CHALLENGE - 1, 0, -1):
        page = visitor.fill(code=wrong)
        assert f"You have {left} tr" in page.text
    assert visitor.fill(code=wrong).status == 410
    assert visitor.post(ADD, {"pending": pending, "code": right}).status == 410

    assert email_of(acme, acme.eve) is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "Type an email address"),
        ("not an address", "Write an address like"),
        ("eve@acme.example", "would be locked out of"),
        ("eve+tag@acme.example", "would be locked out of"),
        ("eve@primary.example", "would be locked out of"),
        ("other@acme.example", "outside your organisation"),
    ],
)
def test_what_is_no_other_mailbox_is_refused_before_anything_is_sent(
    acme: Acme, sign_in: SignIn, post: Post, address: str, words: str
) -> None:
    with acme.inside():
        give_primary_email(acme.eve, "eve@primary.example")
    # What is provable is unchanged: the primary mailbox proves nothing.
    visitor = sign_in(acme.eve, proved=False)

    begin(visitor, address)

    assert words in visitor.shown.text
    assert post() == []


def test_a_change_takes_the_new_code_raises_the_version_and_tells_the_old_mailbox(
    acme: Acme, sign_in: SignIn, post: Post
) -> None:
    before = email_of(acme, acme.alice)
    assert before is not None
    visitor = sign_in(acme.alice)

    begin(visitor, "new@example.org", f"/security-info/change/email/{before.pk}/")
    sent = post()
    assert [message["to"] for message in sent] == ["new@example.org"]
    visitor.fill(code=codes(sent)[0])

    after = email_of(acme, acme.alice)
    assert after is not None
    assert (after.version, value_of(acme, acme.alice)) == (before.version + 1, "new@example.org")
    assert [m["to"] for m in post()] == ["alice@example.net"]


def test_what_was_entered_for_somebody_is_confirmed_without_typing_it(
    acme: Acme, sign_in: SignIn, post: Post, clock: Clock
) -> None:
    with acme.inside():
        row = give_contact(acme.eve, "alternate_email", "eve@example.net", confirmed=False)
    visitor = sign_in(acme.eve)

    visitor.get(f"/security-info/change/email/{row.pk}/")
    visitor.post(f"/security-info/change/email/{row.pk}/", {"current": "1"})
    visitor.fill(code=codes(post())[0])

    after = email_of(acme, acme.eve)
    assert after is not None
    assert (after.confirmed_at, after.version) == (clock.now, row.version)


def test_a_code_is_used_once(acme: Acme, sign_in: SignIn, post: Post) -> None:
    visitor = sign_in(acme.eve)
    begin(visitor)
    fields = {"pending": visitor.shown.form.values["pending"], "code": codes(post())[0]}
    visitor.post(ADD, fields)
    with acme.inside():
        ContactPoint.objects.filter(user=acme.eve).delete()

    assert visitor.post(ADD, fields).status == 410
    assert email_of(acme, acme.eve) is None


def test_what_waits_belongs_to_one_person_and_one_session(
    acme: Acme, sign_in: SignIn, post: Post
) -> None:
    visitor = sign_in(acme.eve)
    begin(visitor)
    fields = {"pending": visitor.shown.form.values["pending"], "code": codes(post())[0]}
    stranger, elsewhere = sign_in(acme.oscar), sign_in(acme.eve)
    with acme.inside():
        ContactPoint.objects.filter(user=acme.oscar).delete()

    for other in (stranger, elsewhere):
        other.get(ADD)
        assert other.post(ADD, fields).status == 410

    assert email_of(acme, acme.oscar) is None
    assert email_of(acme, acme.eve) is None
    assert visitor.post(ADD, fields).status == 200
    assert value_of(acme, acme.eve) == NEW


def test_a_code_and_what_waits_for_it_end_with_their_time(
    acme: Acme, sign_in: SignIn, post: Post, clock: Clock
) -> None:
    visitor = sign_in(acme.eve)
    begin(visitor)
    code = codes(post())[0]

    clock.shift(minutes=5)
    assert "expired" in visitor.fill(code=code).text
    clock.shift(minutes=5)
    page = visitor.get(f"{ADD}?pending={visitor.shown.form.values['pending']}")

    assert "pending" not in page.form.values
    with acme.inside():
        assert PendingRegistration.objects.get().expires_at <= clock.now + timedelta(0)
    assert email_of(acme, acme.eve) is None


def test_a_new_code_waits_its_time_and_kills_the_old_one(
    acme: Acme, sign_in: SignIn, post: Post, clock: Clock
) -> None:
    visitor = sign_in(acme.eve)
    begin(visitor)
    first = codes(post())[0]
    fields = {"pending": visitor.shown.form.values["pending"]}
    assert visitor.post(ADD, {**fields, "resend": "1"}).status == 429
    assert post() == []

    clock.shift(seconds=31)
    visitor.post(ADD, {**fields, "resend": "1"})
    second = codes(post())[0]

    assert "not right" in visitor.post(ADD, {**fields, "code": first}).text or first == second
    visitor.post(ADD, {**fields, "code": second})
    assert value_of(acme, acme.eve) == NEW


def test_somebody_who_had_ten_codes_gets_no_eleventh(
    acme: Acme, sign_in: SignIn, post: Post
) -> None:
    visitor = sign_in(acme.eve)
    for number in range(10):
        begin(visitor, f"box{number}@example.org")
    assert len(post()) == 10

    begin(visitor, "box10@example.org")

    assert visitor.shown.status == 429
    assert "Retry-After" in visitor.shown.headers
    assert post() == []


def test_a_mailbox_that_had_too_many_codes_gets_none_and_nobody_sees_it(
    acme: Acme, sign_in: SignIn, post: Post, clock: Clock
) -> None:
    visitor = sign_in(acme.eve)
    for _ in range(10):
        begin(visitor)
        clock.shift(minutes=2)
    post()

    begin(visitor)

    assert visitor.shown.status == 200
    assert post() == []


def test_removing_tells_what_stops_working_and_only_the_button_removes(
    acme: Acme, sign_in: SignIn, post: Post
) -> None:
    row = email_of(acme, acme.bob)
    assert row is not None
    visitor = sign_in(acme.bob)

    page = visitor.get(f"/security-info/remove/email/{row.pk}/")
    assert "can't reset your password on your own any more" in page.text.replace("&#x27;", "'")
    assert email_of(acme, acme.bob) is not None
    visitor.fill()

    assert email_of(acme, acme.bob) is None
    assert "Removed." in visitor.shown.text
    assert [m["to"] for m in post()] == ["bob@example.net"]


def test_the_mailbox_of_a_guest_is_their_administrators_to_change(
    acme: Acme, sign_in: SignIn
) -> None:
    row = email_of(acme, acme.iris)
    assert row is not None
    visitor = sign_in(acme.iris)

    assert "Your administrators change it" in visitor.get(INDEX).text
    assert visitor.get(f"/security-info/change/email/{row.pk}/").status == 404
    assert visitor.get(f"/security-info/remove/email/{row.pk}/").status == 404
