"""The word of a colleague: who is asked, what the link shows, and what decides."""

import re
from datetime import timedelta
from typing import Any

import pytest

from accounts.approvals import find_approver
from accounts.methods.base import Answer
from accounts.models import Approval, MethodSettings, User
from accounts.people import belongings_of
from notifications.models import Message
from resets import services
from resets.models import Gate
from resets.services import Handle
from tenants.models import AuditEvent
from tests.cast import Acme, Beta, give_primary_email, make_guest, make_person
from tests.credentials import give_manager
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Visitor
from tests.resets.walks import set_policy, set_tenant

LINK = re.compile(r"/approve/[0-9a-f]{32}\.[A-Za-z0-9_-]+/")


@pytest.fixture
def boss(acme: Acme) -> User:
    """Bob's manager, in a tenant where a manager's word is enough."""
    set_policy(acme, methods=["email", "manager_approval"], methods_required=1)
    with acme.inside():
        found = make_person("boss", acme.domain, surname="Baker")
        give_manager(acme.bob, found)
    return found


def _asked(acme: Acme, visitor: Visitor, who: User) -> Handle:
    """A journey that waits for the manager's answer."""
    visitor.start(who.user_id)
    cookie = visitor.client.cookies["sspr_flow"].value
    handle = Handle.parse(cookie, visitor.flow)
    chosen = services.choose(
        handle, "manager_approval", contact="", channel="", now=visitor.clock.now
    )
    assert chosen.kind == "ok"
    return handle


def _link(messages: list[dict[str, Any]]) -> str:
    [asked] = [message for message in messages if message["kind"] == "approval_request"]
    return str(LINK.findall(asked["text"])[0])


def _manager(acme: Acme, clock: Clock, path: str) -> Visitor:
    browser = Visitor(acme.host, clock, address="192.0.2.77")
    browser.get(path)
    return browser


def _result(handle: Handle, now: Any) -> str:
    return services.verify(handle, Answer(), now=now).kind


def test_a_yes_with_the_reference_opens_the_gate(
    acme: Acme,
    boss: User,
    visitor: Visitor,
    post: Post,
    clock: Clock,
) -> None:
    handle = _asked(acme, visitor, acme.bob)
    reference = visitor.shown.reference
    messages = post()
    assert _result(handle, clock.now) == "waiting"

    manager = _manager(acme, clock, _link(messages))
    shown = manager.shown
    answered = manager.fill(reference=reference.lower())

    assert [m["to"] for m in messages] == [boss.user_id]
    assert reference not in repr(messages)
    assert reference not in shown.text
    for told in ("Bob Brown", acme.bob.user_id, "192.0.2.10"):
        assert told in shown.text
    assert (shown.state, answered.state) == ("approval", "approved")
    assert _result(handle, clock.now) == "ok"
    with acme.inside():
        [gate] = Gate.objects.all()
        [event] = AuditEvent.objects.filter(type="approval.decided")
        assert gate.evidence == f"approver:{boss.pk}"
        assert (event.actor_id, event.data["decision"]) == (boss.pk, "approved")
    assert _manager(acme, clock, _link(messages)).shown.status == 410


def test_a_no_needs_no_reference_and_is_the_end(
    acme: Acme,
    boss: User,
    visitor: Visitor,
    post: Post,
    clock: Clock,
) -> None:
    handle = _asked(acme, visitor, acme.bob)
    manager = _manager(acme, clock, _link(post()))

    answered = manager.post(manager.path, {"decision": "no", "reference": ""})

    assert answered.state == "denied"
    assert _result(handle, clock.now) != "ok"
    with acme.inside():
        assert not Gate.objects.exists()


def test_without_the_right_reference_there_is_no_yes_and_five_tries_are_the_end(
    acme: Acme,
    boss: User,
    visitor: Visitor,
    post: Post,
    clock: Clock,
) -> None:
    handle = _asked(acme, visitor, acme.bob)
    reference = visitor.shown.reference
    manager = _manager(acme, clock, _link(post()))

    empty = manager.post(manager.path, {"decision": "yes", "reference": ""})
    states = [
        manager.post(manager.path, {"decision": "yes", "reference": "K7M4-92QX"}).status
        for _ in range(5)
    ]
    late = manager.post(manager.path, {"decision": "yes", "reference": reference})

    assert "Type the reference" in empty.text
    assert states == [200, 200, 200, 200, 410]
    assert late.status == 410
    assert _result(handle, clock.now) != "ok"


def test_looking_at_the_link_decides_nothing_and_it_ends_with_the_journey(
    acme: Acme,
    boss: User,
    visitor: Visitor,
    post: Post,
    clock: Clock,
) -> None:
    handle = _asked(acme, visitor, acme.bob)
    link = _link(post())
    for _ in range(3):
        assert _manager(acme, clock, link).shown.state == "approval"
    assert _result(handle, clock.now) == "waiting"

    clock.shift(minutes=16)

    assert _manager(acme, clock, link).shown.status == 410


@pytest.mark.parametrize(
    "path",
    ["/approve/{}.{}/".format("0" * 32, "x" * 43), "/approve/{}.{}/".format("f" * 32, "y" * 20)],
)
def test_a_link_that_nobody_sent_is_over(acme: Acme, clock: Clock, path: str) -> None:
    assert _manager(acme, clock, path).shown.status == 410


def test_a_link_works_in_its_own_tenant_alone(
    acme: Acme,
    beta: Beta,
    boss: User,
    visitor: Visitor,
    post: Post,
    clock: Clock,
) -> None:
    _asked(acme, visitor, acme.bob)
    link = _link(post()).replace(acme.id.hex, beta.id.hex)

    assert _manager(acme, clock, link).shown.status == 410


def test_another_manager_on_file_voids_what_the_old_one_said(
    acme: Acme,
    boss: User,
    visitor: Visitor,
    post: Post,
    clock: Clock,
) -> None:
    handle = _asked(acme, visitor, acme.bob)
    reference = visitor.shown.reference
    _manager(acme, clock, _link(post())).fill(reference=reference)
    with acme.inside():
        give_manager(acme.bob, make_person("other", acme.domain))

    assert _result(handle, clock.now) != "ok"


def test_a_decoy_writes_as_much_and_asks_nobody(
    acme: Acme,
    boss: User,
    visitor: Visitor,
    post: Post,
    clock: Clock,
) -> None:
    set_tenant(acme, disclosure="concealed")
    visitor.start(f"nobody@{acme.domain}")
    handle = Handle.parse(visitor.client.cookies["sspr_flow"].value, visitor.flow)

    services.choose(handle, "manager_approval", contact="", channel="", now=clock.now)

    assert [m for m in post() if m["kind"] == "approval_request" and m["to"]] == []
    assert _result(handle, clock.now) == "waiting"
    with acme.inside():
        [row] = Approval.objects.all()
        assert (row.user, row.approver) == (None, None)
        assert Message.objects.filter(kind="approval_request").count() == 1


def test_a_person_asks_three_times_an_hour_at_most(
    acme: Acme,
    boss: User,
    visitor: Visitor,
    clock: Clock,
) -> None:
    handle = _asked(acme, visitor, acme.bob)

    found = [
        services.choose(handle, "manager_approval", contact="", channel="", now=clock.now).kind
        for _ in range(3)
    ]

    assert found == ["ok", "ok", "blocked"]


def _approver(acme: Acme, who: User) -> User | None:
    found = find_approver(belongings_of(User.objects.get(pk=who.pk)))
    return found.user if found is not None else None


def test_who_is_asked(acme: Acme, boss: User) -> None:
    with acme.inside():
        colleague = make_person("reception", acme.domain)
        assert _approver(acme, acme.bob) == boss
        assert _approver(acme, acme.alice) is None
        MethodSettings.objects.create(approver=colleague)
        assert _approver(acme, acme.bob) == boss
        assert _approver(acme, acme.alice) == colleague
        assert _approver(acme, colleague) is None
        User.objects.filter(pk=boss.pk).update(is_active=False)
        assert _approver(acme, acme.bob) == colleague
        User.objects.filter(pk=colleague.pk).update(frozen_at=acme.tenant.created_at)
        assert _approver(acme, acme.bob) is None


def test_an_approver_needs_a_mailbox(acme: Acme, boss: User) -> None:
    with acme.inside():
        guest = make_guest("gus@example.net", acme.domain, "invitation")
        give_manager(acme.bob, guest)
        assert _approver(acme, acme.bob) is None
        give_primary_email(guest, "gus@example.net")
        assert _approver(acme, acme.bob) == guest
        give_manager(acme.bob, acme.bob)
        assert _approver(acme, acme.bob) is None


def test_the_time_of_a_question_is_the_journeys(
    acme: Acme,
    boss: User,
    visitor: Visitor,
    clock: Clock,
) -> None:
    visitor.start(acme.bob.user_id)
    started = clock.now
    clock.shift(minutes=5)
    handle = Handle.parse(visitor.client.cookies["sspr_flow"].value, visitor.flow)
    services.choose(handle, "manager_approval", contact="", channel="", now=clock.now)

    with acme.inside():
        [row] = Approval.objects.all()
    assert row.expires_at == started + timedelta(minutes=15)
