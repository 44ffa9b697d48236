"""The link in the notice puts a change back, once, for 72 hours, and only by the button."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from accounts.contacts import find_value
from accounts.models import (
    AuthenticatorDevice,
    ContactPoint,
    Credential,
    MethodUndo,
    QuestionAnswer,
    Session,
    User,
)
from accounts.registration.changes import MethodChange, note_change
from accounts.services import party_of
from tests.accounts.registration.conftest import Post, SignIn, codes
from tests.accounts.registration.test_pages import words
from tests.cast import Acme, give_app, give_questions
from tests.resets.visitor import Clock, Visitor, trail, types


def link_of(messages: list[dict[str, Any]]) -> str:
    found: list[str] = [m["data"]["undo_url"] for m in messages if m["kind"] == "method_changed"]
    return urlsplit(found[-1]).path


def contact(acme: Acme, user: User, kind: str = "alternate_email") -> ContactPoint | None:
    with acme.inside():
        found: ContactPoint | None = ContactPoint.objects.filter(user=user, kind=kind).first()
        return found


def value(acme: Acme, user: User, kind: str = "alternate_email") -> str | None:
    row = contact(acme, user, kind)
    with acme.inside():
        return find_value(row) if row is not None else None


def change_email(visitor: Visitor, acme: Acme, user: User, post: Post, to: str) -> str:
    row = contact(acme, user)
    assert row is not None
    visitor.get(f"/security-info/change/email/{row.pk}/")
    visitor.fill(contact=to)
    visitor.fill(code=codes(post())[0])
    return link_of(post())


@pytest.fixture
def outsider(acme: Acme, clock: Clock) -> Visitor:
    """The browser in which the mail is read."""
    return Visitor(acme.host, clock)


def test_a_change_is_put_back_and_everybody_is_signed_out(
    acme: Acme, sign_in: SignIn, post: Post, outsider: Visitor
) -> None:
    intruder = sign_in(acme.bob)
    before = contact(acme, acme.bob)
    path = change_email(intruder, acme, acme.bob, post, "intruder@example.org")
    assert value(acme, acme.bob) == "intruder@example.org"
    changed = contact(acme, acme.bob)
    assert before is not None
    assert changed is not None

    outsider.get(path)
    assert value(acme, acme.bob) == "intruder@example.org"
    outsider.fill()

    assert "It is put back" in words(outsider)
    after = contact(acme, acme.bob)
    assert after is not None
    assert value(acme, acme.bob) == "bob@example.net"
    assert after.version > changed.version > before.version
    with acme.inside():
        assert not Session.objects.filter(user=acme.bob).exists()
    assert "method.undone" in types(trail(acme))
    told = {m["to"] for m in post() if m["data"]["what"] == "undone"}
    assert {"bob@example.net"} <= told


def test_the_link_works_once_and_for_72_hours(
    acme: Acme, sign_in: SignIn, post: Post, outsider: Visitor, clock: Clock
) -> None:
    first = change_email(sign_in(acme.bob), acme, acme.bob, post, "one@example.org")
    clock.shift(hours=71, minutes=59)
    assert outsider.get(first).status == 200
    clock.shift(minutes=1)
    assert outsider.get(first).status == 410
    assert outsider.post(first, {}).status == 410
    assert value(acme, acme.bob) == "one@example.org"

    second = change_email(sign_in(acme.bob), acme, acme.bob, post, "two@example.org")
    outsider.get(second)
    assert outsider.fill().status == 200
    assert outsider.post(second, {}).status == 410


def test_a_chain_of_changes_is_undone_by_the_first_link(
    acme: Acme, sign_in: SignIn, post: Post, outsider: Visitor
) -> None:
    intruder = sign_in(acme.bob)
    first = change_email(intruder, acme, acme.bob, post, "one@example.org")
    change_email(intruder, acme, acme.bob, post, "two@example.org")

    outsider.get(first)
    outsider.fill()

    assert value(acme, acme.bob) == "bob@example.net"


def test_what_was_added_goes_and_what_was_removed_comes_back(
    acme: Acme, sign_in: SignIn, post: Post, outsider: Visitor, clock: Clock
) -> None:
    with acme.inside():
        seed = AuthenticatorDevice.objects.get(user=acme.bob).read_seed().reveal()
        give_questions(acme.bob)
        device = AuthenticatorDevice.objects.get(user=acme.bob)
    visitor = sign_in(acme.bob)
    visitor.get("/security-info/add/mobile_phone/")
    visitor.fill(country="US", number="4255550142", channel="sms")
    visitor.fill(code=codes(post())[0])
    added = link_of(post())
    visitor.get(f"/security-info/remove/app_code/{device.pk}/")
    visitor.fill()
    removed = link_of(post())
    visitor.get("/security-info/remove/security_questions/questions/")
    visitor.fill()
    answers = link_of(post())
    with acme.inside():
        assert not AuthenticatorDevice.objects.filter(user=acme.bob).exists()
        assert not QuestionAnswer.objects.filter(user=acme.bob).exists()

    for path in (added, removed, answers):
        outsider.get(path)
        outsider.fill()

    assert contact(acme, acme.bob, "mobile_phone") is None
    with acme.inside():
        back = AuthenticatorDevice.objects.get(user=acme.bob)
        assert back.read_seed().reveal() == seed
        assert back.version == device.version + 1
        assert QuestionAnswer.objects.filter(user=acme.bob).count() == 5


def test_a_credential_that_another_method_registered_goes_too(
    acme: Acme, post: Post, outsider: Visitor, clock: Clock
) -> None:
    with acme.inside():
        older = Credential(user=acme.bob, method="passkey", created_at=clock.now)
        older.confirmed_at = clock.now - timedelta(days=3)
        older.write("older")
        older.save()
        fresh = Credential(
            user=acme.bob, method="passkey", created_at=clock.now, confirmed_at=clock.now
        )
        fresh.write("fresh")
        fresh.save()
        note_change(
            acme.bob,
            MethodChange(
                what="registered",
                method="passkey",
                name="Key",
                before=list(ContactPoint.objects.filter(user=acme.bob)),
                address="192.0.2.1",
            ),
            by=party_of(acme.bob),
            now=clock.now,
        )

    outsider.get(link_of(post()))
    outsider.fill()

    with acme.inside():
        assert list(Credential.objects.values_list("pk", flat=True)) == [older.pk]


def test_nothing_readable_is_kept_and_another_token_opens_nothing(
    acme: Acme, sign_in: SignIn, post: Post, outsider: Visitor
) -> None:
    path = change_email(sign_in(acme.bob), acme, acme.bob, post, "one@example.org")
    token = path.strip("/").rpartition(".")[2]
    with acme.inside():
        row = MethodUndo.objects.get()
        assert token.encode() not in bytes(row.token_hash) + bytes(row.sealed)
        assert b"example" not in bytes(row.sealed)

    assert outsider.get(path.replace(token, "A" * 43)).status == 410
    assert outsider.get("/security-info/undo/nonsense/").status == 404
    assert value(acme, acme.bob) == "one@example.org"


def test_five_apps_and_one_that_comes_back_are_six(
    acme: Acme, sign_in: SignIn, post: Post, outsider: Visitor
) -> None:
    """What was taken comes back whatever stands in its place."""
    with acme.inside():
        device = AuthenticatorDevice.objects.get(user=acme.bob)
    visitor = sign_in(acme.bob)
    visitor.get(f"/security-info/remove/app_code/{device.pk}/")
    visitor.fill()
    path = link_of(post())
    with acme.inside():
        for number in range(5):
            give_app(acme.bob, bytes([number]) * 20)

    outsider.get(path)
    outsider.fill()

    with acme.inside():
        assert AuthenticatorDevice.objects.filter(user=acme.bob).count() == 6
