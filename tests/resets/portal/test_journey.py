"""From the user ID to the new password, as a browser walks it."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from django.contrib.auth.hashers import get_hasher
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Session
from accounts.passwords.hashing import OwaspArgon2PasswordHasher
from resets.models import Flow
from tenants.front import forget_fronts
from tenants.keys import forget_keys
from tests.cast import NEW_PASSWORD, PASSWORD, Acme, app_code
from tests.costs import counted
from tests.resets.conftest import NOW, Post
from tests.resets.visitor import Clock, Visitor, get_flow_row, trail, types
from tests.resets.walks import (
    BOB_EMAIL,
    ask_for_mail,
    make_frank,
    newest_code,
    pass_app,
    pass_email,
    password_is,
    set_policy,
    to_password,
)

# Measured in a process that has served the tenant before. A change that needs more has to say so
# here; one that needs fewer lowers them.
STATEMENTS_OF_TWO_PROOFS = 22
# Where nobody asked for the tenant's look within ten seconds.
STATEMENTS_FROM_COLD = 25
COMMITS_OF_TWO_PROOFS = 9
MOST_STATEMENTS_OF_A_STEP = 6


def test_one_proof_takes_four_screens_and_three_things_to_type_beside_the_contact(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    frank = make_frank(acme)

    visitor.start(frank.user_id)
    states = [(visitor.shown.state, visitor.shown.status)]
    visitor.fill(contact="frank@example.net")
    visitor.fill(code=newest_code(post))
    visitor.fill(new_password=NEW_PASSWORD)

    assert states == [("proving", 200)]
    assert [page.state for page in visitor.seen] == [
        "started",
        "proving",
        "proving",
        "choosing",
        "done",
    ]
    assert visitor.typed == ["user_id", "contact", "code", "new_password"]
    assert password_is(acme, frank, NEW_PASSWORD)
    assert not password_is(acme, frank, PASSWORD)


def test_a_second_proof_is_one_screen_and_one_thing_to_type_more(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    visitor.start(acme.bob.user_id)
    visitor.fill(code=app_code(acme.bob, clock.now))
    visitor.fill(contact=BOB_EMAIL)
    visitor.fill(code=newest_code(post))
    visitor.fill(new_password=NEW_PASSWORD)

    assert len(visitor.seen) == 6
    assert visitor.seen[-1].state == "done"
    assert visitor.typed == ["user_id", "code", "contact", "code", "new_password"]
    assert password_is(acme, acme.bob, NEW_PASSWORD)


def test_every_page_carries_the_reference_and_none_a_secret(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    to_password(visitor, acme.bob, post)
    visitor.fill(new_password=NEW_PASSWORD)

    flow = get_flow_row(acme, visitor.flow)
    for page in visitor.seen[1:]:
        assert page.reference == flow.reference
        assert flow.reference in page.text
        assert page.reason is None
        assert NEW_PASSWORD not in page.text
    secret = visitor.client.cookies["sspr_flow"].value.partition(".")[2]
    assert not any(secret in page.text for page in visitor.seen)
    assert visitor.path == f"/reset/{flow.pk}/"


def test_the_browser_gets_a_new_secret_at_each_gate_and_the_old_one_is_void(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    visitor.start(acme.bob.user_id)
    cookies = [visitor.client.cookies["sspr_flow"].value]
    pass_app(visitor, acme.bob)
    cookies.append(visitor.client.cookies["sspr_flow"].value)
    pass_email(visitor, post)
    cookies.append(visitor.client.cookies["sspr_flow"].value)

    assert len(set(cookies)) == 3
    for old in cookies[:2]:
        visitor.client.cookies["sspr_flow"] = old
        assert visitor.get(f"/reset/{visitor.flow}/").status == 401
        assert (
            visitor.post(f"/reset/{visitor.flow}/submit/", {"new_password": NEW_PASSWORD}).status
            == 401
        )
    visitor.client.cookies["sspr_flow"] = cookies[2]
    assert visitor.get(f"/reset/{visitor.flow}/").state == "choosing"
    assert password_is(acme, acme.bob, PASSWORD)


def test_a_secret_that_was_there_before_the_start_is_replaced(acme: Acme, visitor: Visitor) -> None:
    fixed = f"{acme.id.hex}.known-to-the-attacker"
    visitor.client.cookies["sspr_flow"] = fixed

    visitor.start(acme.bob.user_id)

    assert visitor.client.cookies["sspr_flow"].value != fixed
    visitor.client.cookies["sspr_flow"] = fixed
    assert visitor.get(f"/reset/{visitor.flow}/").status == 401


def test_cookies_are_closed_to_scripts_and_other_sites(acme: Acme, visitor: Visitor) -> None:
    visitor.start(acme.bob.user_id)

    for name in ("sspr_flow", "sspr_csrf"):
        cookie = visitor.client.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] in {"Lax", "Strict"}
        assert not cookie["domain"]
        assert cookie["path"] == "/"
    assert set(visitor.client.cookies) == {"sspr_flow", "sspr_csrf"}


def test_the_trail_tells_every_step_under_one_journey_and_reference(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    to_password(visitor, acme.bob, post)
    visitor.fill(new_password="short")
    visitor.fill(new_password=NEW_PASSWORD)

    flow = get_flow_row(acme, visitor.flow)
    events = trail(acme, correlation_id=flow.pk)
    own = [event for event in trail(acme) if event.type.startswith(("flow.", "password."))]
    assert sorted(types(events)) == sorted(
        [
            "flow.started",
            "flow.options_presented",
            "flow.verification_started",
            "flow.verification_completed",
            "flow.verification_started",
            "flow.verification_sent",
            "flow.verification_completed",
            "message.sent",
            "password.rejected",
            "password.reset",
        ]
    )
    assert {event.reference for event in events} == {flow.reference}
    assert {event.correlation_id for event in own} == {flow.pk}
    for event in own:
        assert (event.actor_id, event.target_id) == (acme.bob.pk, acme.bob.pk)
        assert event.address == "192.0.2.10"
    [done] = [event for event in events if event.type == "password.reset"]
    assert done.activity == "Reset password (self-service)"
    assert done.data["methods"] == ["app_code", "email"]


def test_after_a_reset_nobody_is_signed_in_and_every_session_is_over(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    with acme.inside():
        for user in (acme.bob, acme.alice):
            key_hash = user.pk.bytes * 2
            Session.objects.create(user=user, key_hash=key_hash, data="", expires_at=NOW)
        epoch = acme.bob.session_epoch

    to_password(visitor, acme.bob, post)
    visitor.fill(new_password=NEW_PASSWORD)

    assert "sspr_session" not in visitor.client.cookies
    with acme.inside():
        assert [row.user_id for row in Session.objects.all()] == [acme.alice.pk]
        acme.bob.refresh_from_db()
        assert acme.bob.session_epoch == epoch + 1
        assert acme.bob.password_changed_at == NOW


def test_every_other_journey_of_the_person_ends_and_nobody_elses(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    others = [Visitor(acme.host, clock) for _ in range(3)]
    others[0].start(acme.bob.user_id)
    others[1].start(acme.bob.user_id)
    others[2].start(acme.alice.user_id)

    to_password(visitor, acme.bob, post)
    visitor.fill(new_password=NEW_PASSWORD)

    states = [get_flow_row(acme, other.flow).state for other in others]
    assert states == ["cancelled", "cancelled", "proving"]
    assert others[0].get(others[0].path).state == "cancelled"
    assert "flow.cancelled" in types(trail(acme, correlation_id=others[1].flow))


def test_a_finished_journey_can_not_be_sent_again(acme: Acme, visitor: Visitor, post: Post) -> None:
    to_password(visitor, acme.bob, post)
    visitor.fill(new_password=NEW_PASSWORD)
    submit = f"/reset/{visitor.flow}/submit/"

    again = visitor.post(submit, {"new_password": "Another-Harbour 8 Lamps"})

    assert again.status == 409
    assert password_is(acme, acme.bob, NEW_PASSWORD)
    assert visitor.get(f"/reset/{visitor.flow}/").state == "done"
    assert types(trail(acme)).count("password.reset") == 1


def test_a_refused_password_keeps_the_gates_costs_no_try_and_is_never_shown_again(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    to_password(visitor, acme.bob, post)
    before = get_flow_row(acme, visitor.flow).tries

    for weak in ("short", "password1A", "Brown-Brown-77", '"><b>1A'):
        page = visitor.fill(new_password=weak)
        assert (page.status, page.state) == (200, "choosing")
        assert "new_password" in page.form.typed
        assert page.form.values["new_password"] == ""
        assert weak not in page.text
        assert 'autocomplete="new-password"' in page.text
        assert 'id="new_password-error"' in page.text

    assert get_flow_row(acme, visitor.flow).tries == before
    assert password_is(acme, acme.bob, PASSWORD)
    assert visitor.fill(new_password=NEW_PASSWORD).state == "done"


def test_an_empty_password_is_asked_for_again(acme: Acme, visitor: Visitor, post: Post) -> None:
    to_password(visitor, acme.bob, post)

    page = visitor.fill(new_password="")

    assert (page.status, page.state) == (200, "choosing")
    assert "password.rejected" not in types(trail(acme))


@pytest.mark.parametrize(
    "exact", ["  Two blanks before 7", "Trailing blanks 7  ", "x" * 60 + "-Long 4 All-" + "y" * 100]
)
def test_the_password_is_set_exactly_as_typed(
    acme: Acme, visitor: Visitor, post: Post, exact: str
) -> None:
    to_password(visitor, acme.bob, post)

    assert visitor.fill(new_password=exact).state == "done"

    assert password_is(acme, acme.bob, exact)
    assert not password_is(acme, acme.bob, exact.strip() if exact.strip() != exact else exact[:-1])


def test_giving_up_changes_nothing(acme: Acme, visitor: Visitor, post: Post) -> None:
    to_password(visitor, acme.bob, post)

    page = visitor.press("/cancel/")

    assert (page.status, page.state) == (200, "cancelled")
    assert (
        visitor.post(f"/reset/{visitor.flow}/submit/", {"new_password": NEW_PASSWORD}).status == 409
    )
    assert password_is(acme, acme.bob, PASSWORD)


def test_only_the_accepted_password_costs_a_hash(
    acme: Acme, visitor: Visitor, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []
    real = OwaspArgon2PasswordHasher.encode

    def encode(self: OwaspArgon2PasswordHasher, password: str, salt: str) -> str:
        hashes.append("encode")
        return str(real(self, password, salt))

    monkeypatch.setattr(OwaspArgon2PasswordHasher, "encode", encode)
    monkeypatch.setattr(OwaspArgon2PasswordHasher, "verify", lambda *_: hashes.append("verify"))
    assert isinstance(get_hasher(), OwaspArgon2PasswordHasher)

    to_password(visitor, acme.bob, post)
    assert hashes == []
    visitor.fill(new_password="short")
    assert hashes == []
    visitor.fill(new_password=NEW_PASSWORD)
    assert hashes == ["encode"]


@pytest.mark.django_db(transaction=True)
def test_the_journey_needs_no_more_statements_and_commits_than_were_measured(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    """All requests of two proofs, pages included, without what the test and the worker ask."""
    Visitor(acme.host, clock).start(acme.alice.user_id)

    steps = _counted_steps(acme, visitor, clock, post)

    assert sum(each["COMMIT"] for each in steps) == COMMITS_OF_TWO_PROOFS
    assert sum(each["statement"] for each in steps) == STATEMENTS_OF_TWO_PROOFS
    # A step and the page after it, together.
    assert max(each["statement"] for each in steps) <= MOST_STATEMENTS_OF_A_STEP


@pytest.mark.django_db(transaction=True)
def test_where_nobody_was_at_the_door_lately_the_journey_needs_a_few_statements_more(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    Visitor(acme.host, clock).start(acme.alice.user_id)
    forget_fronts()

    steps = _counted_steps(acme, visitor, clock, post)

    assert sum(each["statement"] for each in steps) <= STATEMENTS_FROM_COLD


def _counted_steps(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> Sequence[Counter[str]]:
    steps: list[Counter[str]] = []

    def step(act: Callable[[], object]) -> None:
        with CaptureQueriesContext(connection) as queries:
            act()
        steps.append(counted(queries))

    step(lambda: visitor.start(acme.bob.user_id))
    step(lambda: visitor.fill(code=app_code(acme.bob, clock.now)))
    step(lambda: visitor.fill(contact=BOB_EMAIL))
    code = newest_code(post)
    step(lambda: visitor.fill(code=code))
    step(lambda: visitor.fill(new_password=NEW_PASSWORD))

    assert visitor.shown.state == "done"
    return steps


def test_a_way_can_be_chosen_again_while_a_code_is_waited_for(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_policy(acme, methods_required=1)
    visitor.start(acme.bob.user_id)
    ask_for_mail(visitor)
    assert visitor.shown.form.typed == ["code"]

    page = visitor.get(f"{visitor.path}?other=1")

    assert page.form.choices["method"] == ["app_code", "email"]
    assert pass_app(visitor, acme.bob).state == "choosing"


def test_two_browsers_walk_two_journeys_of_one_person(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    other = Visitor(acme.host, clock)
    visitor.start(acme.bob.user_id)
    other.start(acme.bob.user_id)

    pass_app(visitor, acme.bob)

    assert len({visitor.flow, other.flow}) == 2
    with acme.inside():
        assert Flow.objects.get(pk=other.flow).gates.count() == 0
        assert Flow.objects.get(pk=visitor.flow).gates.count() == 1


def test_a_journey_goes_on_in_a_process_that_has_no_keys_yet(acme: Acme, visitor: Visitor) -> None:
    """Another process, or this one after a quarter of an hour, may begin with a page that reads."""
    visitor.start(acme.bob.user_id)
    forget_keys()

    page = visitor.get(visitor.path)

    assert (page.status, page.state) == (200, "proving")
