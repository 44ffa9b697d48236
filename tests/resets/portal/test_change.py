"""Changing a password that is known: voluntarily, forced, and when it is too old."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from resets.models import Repudiation
from tests.cast import NEW_PASSWORD, PASSWORD, Acme
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Page, trail
from tests.resets.walks import set_policy, set_user
from tests.services.signed_in import session_key_of, signed_in_client

PATH = "/change-password/"
OLD, NEW = "old_password", "new_password"
Change = Callable[..., Page]


@pytest.fixture
def browser(acme: Acme, clock: Clock) -> Iterator[Client]:
    with clock.running():
        yield signed_in_client(acme, acme.bob)


@pytest.fixture
def change(browser: Client) -> Change:
    def send(old: str = PASSWORD, new: str = NEW_PASSWORD, **more: str) -> Page:
        return Page(browser.post(PATH, {OLD: old, NEW: new, **more}))

    return send


def _bob(acme: Acme) -> User:
    with acme.inside():
        found: User = User.objects.get(pk=acme.bob.pk)
        return found


def test_a_new_password_is_set_and_everybody_concerned_is_told(
    acme: Acme, change: Change, post: Post
) -> None:
    done = change()

    assert (done.status, done.state) == (200, "done")
    assert _bob(acme).check_password(NEW_PASSWORD)
    assert [message["kind"] for message in post()] == ["password_changed"]
    [event] = trail(acme, type="password.changed")
    assert event.data == {"sessions_ended": 0, "forced": False}
    with acme.inside():
        assert Repudiation.objects.get().flow is None


def test_this_session_goes_on_and_all_others_end(
    acme: Acme, browser: Client, change: Change
) -> None:
    session_key_of(acme, acme.bob)
    key = browser.cookies["sspr_session"].value

    assert change().state == "done"

    with acme.inside():
        assert Session.objects.filter(user=acme.bob).count() == 1
    assert browser.cookies["sspr_session"].value != key
    assert browser.get(PATH).status_code == 200
    [event] = trail(acme, type="password.changed")
    assert event.data["sessions_ended"] == 1


def test_the_link_of_the_notice_freezes_the_account(acme: Acme, change: Change, post: Post) -> None:
    change()
    [message] = post()
    link = next(line for line in message["text"].splitlines() if "/not-me/" in line).strip()
    stranger = Client(headers={"host": acme.host, "sec-fetch-site": "same-origin"})

    assert stranger.post(link[link.index("/not-me/") :]).status_code == 200
    assert _bob(acme).frozen_at is not None


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("", NEW_PASSWORD, OLD),
        (PASSWORD, "", NEW),
        ("not my password", NEW_PASSWORD, OLD),
        (PASSWORD, "short", NEW),
        (PASSWORD, PASSWORD, NEW),
    ],
    ids=["no old one", "no new one", "wrong old one", "weak new one", "the same again"],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_changes(
    acme: Acme, change: Change, post: Post, old: str, new: str, field: str
) -> None:
    page = change(old, new)

    assert page.state == "change"
    assert f'id="{field}-error"' in page.text
    assert _bob(acme).check_password(PASSWORD)
    assert post() == []


def test_wrong_old_passwords_lock_like_a_sign_in(acme: Acme, change: Change) -> None:
    pages = [change(f"wrong {number}") for number in range(12)]

    assert {page.status for page in pages[:9]} == {200}
    assert pages[-1].status == 429
    assert int(pages[-1].headers["Retry-After"]) > 0
    assert change().status == 429
    assert _bob(acme).check_password(PASSWORD)


def test_a_password_of_the_directory_is_not_changed_here(
    acme: Acme, change: Change, browser: Client
) -> None:
    set_user(acme, acme.bob, source="pass_through")

    assert NEW not in Page(browser.get(PATH)).text.split("<form")[0]
    assert change().status == 409
    assert _bob(acme).check_password(PASSWORD)


def test_nobody_changes_anything_without_signing_in(acme: Acme) -> None:
    stranger = Client(headers={"host": acme.host, "sec-fetch-site": "same-origin"})

    for answer in (stranger.get(PATH), stranger.post(PATH, {OLD: PASSWORD, NEW: NEW_PASSWORD})):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/")
    assert _bob(acme).check_password(PASSWORD)


def test_password_managers_find_the_page(acme: Acme) -> None:
    stranger = Client(headers={"host": acme.host})
    missing = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"

    assert stranger.get("/.well-known/change-password").headers["Location"] == PATH
    assert stranger.get(missing).status_code == 404


@pytest.mark.parametrize("why", ["forced", "expired"])
def test_who_has_to_change_does_it_before_anything_else_and_goes_on_where_they_wanted(
    acme: Acme, browser: Client, change: Change, why: str
) -> None:
    if why == "forced":
        set_user(acme, acme.bob, must_change_password=True)
    else:
        set_policy(acme, password_max_age_days=90)
        set_user(acme, acme.bob, password_changed_at=timezone.now() - timedelta(days=90))

    sent = browser.get("/security-info/")
    done = change(next="/security-info/")

    assert sent.headers["Location"] == f"{PATH}?next=%2Fsecurity-info%2F"
    assert "/security-info/" in done.links
    assert browser.get("/security-info/").headers.get("Location", "") != sent.headers["Location"]
    assert not _bob(acme).must_change_password


def test_a_password_a_day_younger_than_the_limit_is_let_be(acme: Acme, browser: Client) -> None:
    set_policy(acme, password_max_age_days=90)
    set_user(acme, acme.bob, password_changed_at=timezone.now() - timedelta(days=89))

    assert PATH not in browser.get("/security-info/").headers.get("Location", "")


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_nobody_is_led_to_another_site(change: Change, wanted: str) -> None:
    assert not any("evil" in link or "javascript" in link for link in change(next=wanted).links)


def test_a_journey_under_way_ends_with_the_change(acme: Acme, change: Change, visitor: Any) -> None:
    assert visitor.start(acme.bob.user_id).state == "proving"

    assert change().state == "done"
    assert visitor.get(f"/reset/{visitor.flow}/").state == "cancelled"


def test_far_too_long_passwords_are_refused_unread(change: Change) -> None:
    assert change("x" * 2_000).status == 400
    assert change(PASSWORD, "x" * 2_000).status == 400
