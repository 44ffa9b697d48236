"""Who is told: after a reset, when help is asked for, and through "this was not me"."""

import re
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Session, User
from tests.cast import (
    NEW_PASSWORD,
    Acme,
    give_email,
    give_primary_email,
    make_person,
)
from tests.resets.conftest import NOW, Post
from tests.resets.visitor import Clock, Page, Visitor, get_flow_row, trail, types
from tests.resets.walks import password_is, set_policy, set_tenant, set_user


def _reset(visitor: Visitor, user: User, post: Post, email: str) -> list[dict[str, Any]]:
    from tests.resets.walks import pass_app, pass_email

    visitor.start(user.user_id)
    pass_app(visitor, user)
    pass_email(visitor, post, email)
    assert visitor.fill(new_password=NEW_PASSWORD).state == "done"
    return post()


def _to(messages: list[dict[str, Any]], kind: str) -> list[str]:
    return sorted(message["to"] for message in messages if message["kind"] == kind)


def test_primary_and_alternate_mailbox_are_told_and_nobody_else(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    with acme.inside():
        give_primary_email(acme.bob, "bob.brown@acme.example")

    sent = _reset(visitor, acme.bob, post, "bob@example.net")

    assert _to(sent, "password_changed") == ["bob.brown@acme.example", "bob@example.net"]
    assert len(sent) == 2
    for message in sent:
        assert NEW_PASSWORD not in str(message)
        assert visitor.shown.reference in message["text"]
        assert "/not-me/" in message["text"]


def test_without_a_mailbox_the_user_id_is_told(acme: Acme, visitor: Visitor, post: Post) -> None:
    from accounts.models import ContactPoint
    from tests.cast import give_mobile
    from tests.resets.walks import newest_code, pass_app

    with acme.inside():
        ContactPoint.objects.filter(user=acme.bob).delete()
        give_mobile(acme.bob)
    visitor.start(acme.bob.user_id)
    pass_app(visitor, acme.bob)
    visitor.fill(contact="+1 4255550101", channel="sms")
    visitor.fill(code=newest_code(post))
    visitor.fill(new_password=NEW_PASSWORD)

    assert _to(post(), "password_changed") == [acme.bob.user_id]


def test_a_tenant_may_tell_nobody(acme: Acme, visitor: Visitor, post: Post) -> None:
    set_policy(acme, notify_user=False)

    assert _reset(visitor, acme.bob, post, "bob@example.net") == []


@pytest.mark.parametrize(
    ("whom", "told"),
    [
        ("all", ["glenn@acme.example", "heidi@acme.example"]),
        ("global", ["glenn@acme.example"]),
        ("none", []),
    ],
)
def test_other_administrators_hear_of_an_administrators_reset_and_never_the_actor(
    acme: Acme, visitor: Visitor, post: Post, whom: str, told: list[str]
) -> None:
    with acme.inside():
        make_person("glenn", acme.domain, roles=["global_administrator"])
        make_person("heidi", acme.domain, roles=["helpdesk_administrator"])
        make_person("ruth", acme.domain, roles=["reports_reader"])
        make_person("gone", acme.domain, roles=["global_administrator"], is_active=False)
    set_policy(acme, notify_admins=whom)

    sent = _reset(visitor, acme.carol, post, "carol@example.net")

    assert _to(sent, "administrator_reset") == told
    assert _to(sent, "password_changed") == ["carol@example.net"]


def test_nobody_hears_of_the_reset_of_somebody_without_a_role(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    assert _to(_reset(visitor, acme.bob, post, "bob@example.net"), "administrator_reset") == []


# --- This was not me ----------------------------------------------------------------------------


@pytest.fixture
def link(acme: Acme, visitor: Visitor, post: Post) -> str:
    [message] = _reset(visitor, acme.bob, post, "bob@example.net")
    found = re.search(r"https?://[^/]+(/not-me/\S+/)", message["text"])
    assert found is not None
    return found[1]


def test_looking_at_the_link_changes_nothing(acme: Acme, visitor: Visitor, link: str) -> None:
    before = types(trail(acme))
    for _ in range(2):
        assert visitor.get(link).status == 200
    with visitor.clock.running():
        assert visitor.client.head(link).status_code == 200

    with acme.inside():
        acme.bob.refresh_from_db()
    assert acme.bob.usable
    assert types(trail(acme)) == before


def test_the_button_freezes_the_account_once_and_ends_everything(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post, link: str
) -> None:
    other = Visitor(acme.host, clock)
    clock.shift(seconds=60)
    other.start(acme.bob.user_id)
    with acme.inside():
        Session.objects.create(
            user=acme.bob, key_hash=bytes(32), data="", expires_at=NOW + timedelta(hours=1)
        )
    visitor.get(link)

    assert visitor.fill().status == 200

    with acme.inside():
        acme.bob.refresh_from_db()
        assert (acme.bob.usable, acme.bob.frozen_at) == (False, clock.now)
        assert not Session.objects.exists()
    assert get_flow_row(acme, other.flow).state == "cancelled"
    sent = post()
    assert _to(sent, "account_frozen") == ["bob@example.net", "carol@acme.example"]
    [frozen] = trail(acme, type="account.frozen")
    assert frozen.reference
    assert (visitor.get(link).status, visitor.post(link, {}).status) == (410, 410)
    assert post() == []
    assert Visitor(acme.host, clock).start(acme.bob.user_id).state == "refused"


def test_the_link_is_over_after_three_days(
    acme: Acme, visitor: Visitor, clock: Clock, link: str
) -> None:
    clock.shift(hours=72, seconds=1)

    assert (visitor.get(link).status, visitor.post(link, {}).status) == (410, 410)
    with acme.inside():
        acme.bob.refresh_from_db()
        assert acme.bob.usable


def test_a_false_link_freezes_nobody(acme: Acme, visitor: Visitor, link: str) -> None:
    head, _, token = link.removeprefix("/not-me/").rstrip("/").partition(".")
    false = [f"/not-me/{head}.{token[:-1]}A{token[-1]}/", f"/not-me/{'0' * 32}.{token}/"]

    for path in false:
        assert (visitor.get(path).status, visitor.post(path, {}).status) == (410, 410)
    assert visitor.get("/not-me/x/").status == 404
    assert password_is(acme, acme.bob, NEW_PASSWORD)


# --- Contact your administrator -----------------------------------------------------------------


def _ask(visitor: Visitor, user_id: str, note: str = "", reference: str = "") -> Page:
    from resets import captcha

    visitor.get("/help/")
    with visitor.clock.running():
        ticket = captcha.new_ticket(visitor.host, visitor.clock.now - timedelta(seconds=4))
    fields = {"user_id": user_id, "note": note, "reference": reference}
    return visitor.post("/help/", {**fields, "ticket": ticket, "altcha": ""})


def test_a_help_desk_of_its_own_gets_the_request(acme: Acme, visitor: Visitor, post: Post) -> None:
    page = _ask(visitor, acme.dave.user_id, "I lost my phone")

    assert page.status == 200
    [message] = post()
    assert (message["kind"], message["to"]) == ("help_request", "help@acme.example")
    assert "I lost my phone" in message["text"]
    assert acme.dave.user_id in message["text"]


@pytest.mark.parametrize(
    ("roles", "told"),
    [
        (("password", "user"), "password"),
        (("user",), "user"),
        ((), "global"),
    ],
)
def test_the_first_tier_of_administrators_that_has_anybody_is_asked(
    acme: Acme, visitor: Visitor, post: Post, roles: tuple[str, ...], told: str
) -> None:
    set_tenant(acme, helpdesk_email="", helpdesk_url="", helpdesk_phone="")
    with acme.inside():
        for role in roles:
            make_person(role, acme.domain, roles=[f"{role}_administrator"])

    _ask(visitor, acme.bob.user_id)

    wanted = acme.carol.user_id if told == "global" else f"{told}@acme.example"
    assert _to(post(), "help_request") == [wanted]
    assert trail(acme, type="help.requested")[0].data == {
        "tier": f"{told}_administrator",
        "recipients": 1,
    }


def test_at_most_a_hundred_administrators_are_asked(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_tenant(acme, helpdesk_email="", helpdesk_url="")
    with acme.inside():
        for number in range(101):
            make_person(f"h{number:03}", acme.domain, roles=["password_administrator"])

    _ask(visitor, acme.bob.user_id)

    assert len(_to(post(), "help_request")) == 100


@pytest.mark.parametrize("user_id", ["nobody@acme.example", "x@nowhere.example", "no at sign"])
def test_for_nobody_the_answer_is_the_same_and_nothing_is_sent(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post, user_id: str
) -> None:
    known = _ask(Visitor(acme.host, clock), acme.bob.user_id)
    post()

    page = _ask(visitor, user_id)

    assert (page.status, page.text) == (known.status, known.text)
    assert post() == []


def test_help_works_where_resets_are_switched_off(acme: Acme, visitor: Visitor, post: Post) -> None:
    set_policy(acme, enabled="none")

    assert _ask(visitor, acme.bob.user_id).status == 200
    assert len(post()) == 1


def test_requests_of_one_person_are_limited_silently(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    statuses = [_ask(visitor, acme.bob.user_id).status for _ in range(4)]

    assert statuses == [200] * 4
    assert len(post()) == 3
    assert "help.blocked" in types(trail(acme))


def test_requests_from_one_address_are_limited_openly(acme: Acme, visitor: Visitor) -> None:
    statuses = [_ask(visitor, f"n{number}@acme.example").status for number in range(11)]

    assert statuses == [200] * 10 + [429]


def test_a_note_is_text_and_short(acme: Acme, visitor: Visitor, post: Post) -> None:
    assert _ask(visitor, acme.bob.user_id, "x" * 501).state == "help"
    assert post() == []

    _ask(visitor, acme.bob.user_id, "<b>bold</b>\r\nBcc: evil@evil.example")

    [message] = post()
    assert "<b>bold" not in message["html"]
    assert message["to"] == "help@acme.example"
    assert "\n" not in message["subject"]


def test_the_reference_of_the_journey_reaches_the_administrators(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    page = visitor.start(acme.dave.user_id)

    _ask(visitor, acme.dave.user_id, reference=page.reference)

    [message] = post()
    assert page.reference in message["text"]
    assert trail(acme, type="help.requested")[0].reference == page.reference


def test_a_refused_person_is_no_longer_told_when_frozen(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_user(acme, acme.carol, frozen_at=NOW)
    set_tenant(acme, helpdesk_email="", helpdesk_url="")
    with acme.inside():
        give_email(make_person("pat", acme.domain, roles=["user_administrator"]), "p@example.net")

    _ask(visitor, acme.bob.user_id)

    assert _to(post(), "help_request") == ["pat@acme.example"]
