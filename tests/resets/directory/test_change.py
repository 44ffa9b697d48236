"""Changing a known password that a directory keeps: the directory compares the old one itself."""

import pytest
from django.test import Client

from accounts.models import Session, SignInLock
from tests.cast import NEW_PASSWORD, Acme
from tests.resets.conftest import Post
from tests.resets.directory.person import DONE, OLD, PATH, WRONG, Person, locks, row_of
from tests.resets.visitor import Clock, Visitor, trail, types
from tests.resets.walks import set_user
from tests.services.signed_in import session_key_of
from tests.writeback.conftest import BOB_ANCHOR
from tests.writeback.field import (
    LOST,
    RULES_REFUSE,
    FieldAgent,
    Held,
    link,
    make_agent,
    make_connector,
)
from writeback.connectors.base import DirectoryRules
from writeback.models import Connector, JobEnvelope
from writeback.reports import Report, rules_written
from writeback.services.outcome import sweep


def test_both_passwords_reach_the_directory_exactly_and_the_page_waits_for_it(
    hybrid: Acme, bob: Person, agent: FieldAgent
) -> None:
    page = bob.change()
    assert (page.status, page.state) == (200, "writing")
    assert bob.state() == {"state": "writing"}
    held = agent.take()
    assert held is not None
    assert (held.job.operation, held.job.anchor) == ("change", BOB_ANCHOR)
    assert (held.passwords.old, held.passwords.new) == (OLD, NEW_PASSWORD)
    assert bob.page().state == "writing"

    agent.report(held, DONE)

    assert bob.state() == {"state": "done"}
    page = bob.page()
    assert page.state == "done"
    assert "Use your new password from now on." in page.text
    with hybrid.inside():
        assert not JobEnvelope.objects.exists()


def test_the_page_goes_on_by_itself_without_javascript(bob: Person, agent: FieldAgent) -> None:
    page = bob.change(next="/sign-in/sessions/")

    assert '<meta http-equiv="refresh" content="3">' in page.text
    assert f'data-poll="{bob.path.partition("?")[0]}status/"' in page.text
    assert bob.path in page.links
    agent.do(DONE)
    # What the refresh loads: the same address once more.
    done = bob.page()
    assert done.state == "done"
    assert "refresh" not in done.text
    assert "/sign-in/sessions/" in done.links


def test_this_session_goes_on_under_another_key_and_all_others_end(
    hybrid: Acme, bob: Person, agent: FieldAgent, clock: Clock
) -> None:
    with clock.running():
        session_key_of(hybrid, hybrid.bob)
    key = bob.client.cookies["sspr_session"].value
    bob.change()
    assert bob.client.cookies["sspr_session"].value != key
    with hybrid.inside():
        assert Session.objects.filter(user=hybrid.bob).count() == 2, "nothing ended yet"
    before = row_of(hybrid)

    agent.do(DONE)

    assert bob.page().state == "done"
    after = row_of(hybrid)
    assert after.session_epoch == before.session_epoch + 1
    assert after.password_changed_at == clock.now
    assert after.password == before.password, "the cloud keeps no copy of a directory's password"
    with hybrid.inside():
        assert Session.objects.get(user=hybrid.bob).epoch == after.session_epoch
    with clock.running():
        stolen = Client(headers={"host": hybrid.host})
        stolen.cookies["sspr_session"] = key
        assert stolen.get("/sign-in/sessions/").status_code == 302


def test_people_are_told_and_the_trail_says_so_as_in_the_cloud(
    hybrid: Acme, bob: Person, agent: FieldAgent, post: Post
) -> None:
    bob.change()
    agent.do(DONE)

    assert [message["kind"] for message in post()] == ["password_changed"]
    [event] = trail(hybrid, type="password.changed")
    assert event.data == {"sessions_ended": 0, "forced": False}
    found = types(trail(hybrid, correlation_id=event.correlation_id))
    assert sorted(found) == ["password.changed", "writeback.finished"]
    assert locks(hybrid) == []


def test_a_wrong_old_password_counts_like_a_sign_in_and_locks_like_one(
    hybrid: Acme, bob: Person, agent: FieldAgent
) -> None:
    for _ in range(10):
        assert bob.change().state == "writing"
        agent.do(WRONG)
        page = bob.page()
        assert (page.state, "That is not your password" in page.text) == ("change", True)
        assert 'id="old_password-error"' in page.text

    page = bob.change()

    assert page.status == 429
    assert 0 < int(page.headers["Retry-After"]) <= 60
    assert len(trail(hybrid, type="user.sign_in_failed")) == 10
    assert len(trail(hybrid, type="user.sign_in_locked")) == 1
    causes = [event.data["cause"] for event in trail(hybrid, type="password.change_failed")]
    assert sorted(causes) == ["locked", *["wrong_old_password"] * 10]
    with hybrid.inside():
        assert SignInLock.objects.get().wrong == []


def test_what_the_directorys_rules_refuse_is_told_with_these_rules(
    hybrid: Acme, bob: Person, agent: FieldAgent
) -> None:
    rules = DirectoryRules(min_length=14, history=5)
    with hybrid.inside():
        Connector.objects.update(rules=rules_written(rules))
    bob.change()
    agent.do(RULES_REFUSE)

    page = bob.page()

    assert page.state == "change"
    assert 'id="new_password-error"' in page.text
    assert "does not accept this password" in page.text
    assert "Use 14 characters or more" in page.text
    assert "differs from your last 5 passwords" in page.text
    assert locks(hybrid) == [0]
    assert bob.change(new=f"{NEW_PASSWORD} 2").state == "writing"
    assert agent.do(DONE).passwords.new == f"{NEW_PASSWORD} 2"
    assert bob.page().state == "done"


@pytest.mark.parametrize("end", ["reported", "withdrawn"])
def test_what_reached_nobody_changed_nothing_and_may_be_tried_again(
    hybrid: Acme, bob: Person, agent: FieldAgent, clock: Clock, end: str
) -> None:
    bob.change()
    if end == "reported":
        agent.do(Report("failed", "unreachable", at=1))
    else:
        clock.shift(seconds=16)
        assert sweep(clock.now) == 1

    page = bob.page()

    assert page.state == "change"
    assert "Nothing was changed" in page.text
    assert locks(hybrid) == [0]
    assert bob.change().state == "writing"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("protected", "This account is protected"),
        ("held", "Too many passwords are being changed"),
        ("no_right_to_reset", "can&#x27;t be changed here"),
        ("refused", "did not make the change"),
    ],
)
def test_a_refusal_that_another_try_would_not_mend_ends_in_its_own_words(
    hybrid: Acme, bob: Person, agent: FieldAgent, cause: str, words: str
) -> None:
    bob.change()
    agent.do(Report("failed", cause, at=1))

    page = bob.page()

    assert page.state == "failed"
    assert words in page.text
    assert PATH in page.links
    assert locks(hybrid) == [0]
    [event] = trail(hybrid, type="password.change_failed")
    assert event.data == {"cause": cause, "codes": []}


def lose(acme: Acme, bob: Person, agent: FieldAgent) -> Held:
    bob.change()
    held = agent.take()
    assert held is not None
    agent.report(held, LOST)
    page = bob.page()
    assert page.state == "unknown"
    assert "first with the new password, then with the old one" in page.text
    return held


@pytest.mark.parametrize(
    ("later", "state"),
    [
        (Report("succeeded", changed=True, reconciled=True, at=1), "done"),
        (Report("failed", "superseded", at=1), "failed"),
        (Report("failed", "not_applied", at=1), "change"),
        (WRONG, "change"),
    ],
)
def test_what_is_not_known_is_said_so_until_the_truth_arrives(
    hybrid: Acme, bob: Person, agent: FieldAgent, post: Post, later: Report, state: str
) -> None:
    before = row_of(hybrid).session_epoch
    held = lose(hybrid, bob, agent)
    assert row_of(hybrid).session_epoch == before + 1, "whoever held the old key is out"

    assert agent.report(held, later).body == {"accepted": True}

    assert bob.page().state == state
    assert row_of(hybrid).session_epoch == before + 1
    assert locks(hybrid) == [0]
    told = {"password_in_doubt", *(["password_changed"] if state == "done" else [])}
    assert sorted(message["kind"] for message in post()) == sorted(told)


def test_a_second_directory_that_did_not_follow_is_named(
    hybrid: Acme, bob: Person, agent: FieldAgent, clock: Clock
) -> None:
    branch = make_connector(hybrid, "Branch")
    link(hybrid, hybrid.bob, branch, "uid=bob")
    other = make_agent(hybrid, branch, clock)
    bob.change()
    agent.do(DONE)
    assert bob.page().state == "writing"
    other.do(WRONG)

    page = bob.page()

    assert page.state == "done"
    assert "Head office: done" in page.text
    assert "Branch: not changed" in page.text
    assert locks(hybrid) == []


def test_whoever_had_to_change_the_password_goes_on_afterwards(
    hybrid: Acme, bob: Person, agent: FieldAgent, clock: Clock
) -> None:
    set_user(hybrid, hybrid.bob, must_change_password=True)
    page = bob.change(next="/security-info/")
    assert page.state == "writing"

    agent.do(DONE)

    assert "/security-info/" in bob.page().links
    assert not row_of(hybrid).must_change_password
    [event] = trail(hybrid, type="password.changed")
    assert event.data["forced"] is True


def test_a_journey_under_way_ends_with_the_change(
    hybrid: Acme, bob: Person, agent: FieldAgent, visitor: Visitor
) -> None:
    assert visitor.start(hybrid.bob.user_id).state == "proving"
    bob.change()
    agent.do(DONE)

    assert visitor.get(f"/reset/{visitor.flow}/").state == "cancelled"
