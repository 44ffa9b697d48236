"""Backup codes and temporary access passes: once, how long, for whom, and what voids them."""

from datetime import timedelta

import pytest

from accounts.backup_codes import CODES, count_left, new_set
from accounts.methods.own_codes import new_code, typed_own_code, written
from accounts.methods.registry import get_method
from accounts.models import Credential
from accounts.passes import issue_pass
from notifications.models import Message
from tenants.audit import Party
from tenants.invalid import Invalid
from tenants.models import AuditEvent
from tests.accounts.methods.conftest import ASKED, CONTEXT, NOW, belongings, code
from tests.cast import Acme
from tests.credentials import HELP_DESK, give_backup_codes, give_pass

CODES_METHOD, PASS_METHOD = get_method("backup_codes"), get_method("temporary_access_pass")


def _at(minutes: float) -> object:
    from dataclasses import replace

    return replace(CONTEXT, now=NOW + timedelta(minutes=minutes))


def _is_right(acme: Acme, method: object, typed: str, minutes: float = 0) -> bool:
    verdict = method.verify(  # type: ignore[attr-defined]  # one of the two above
        belongings(acme.alice), ASKED, code(typed), _at(minutes)
    )
    return bool(verdict.right)


def test_a_code_is_read_in_any_writing_people_use() -> None:
    made = new_code()

    assert len(written(made)) == 11
    assert typed_own_code(f" {written(made).lower()} ") == made
    assert typed_own_code("k7m4p 92qxr") == "K7M4P92QXR"
    assert typed_own_code("O1I5S-92QXR") == "QLL5592QXR"
    assert typed_own_code("K7M4P-92QX") == typed_own_code("K7M4P-92QXRR") == ""
    assert typed_own_code("K7M4P-92QX!") == ""


def test_each_code_is_right_once_and_the_count_goes_down(acme: Acme) -> None:
    with acme.inside():
        codes = give_backup_codes(acme.alice)
        first = [_is_right(acme, CODES_METHOD, typed) for typed in codes[:4]]
        again = [_is_right(acme, CODES_METHOD, typed) for typed in codes[:4]]
        [row] = Credential.objects.filter(user=acme.alice)

    assert len(set(codes)) == CODES
    assert (first, again) == ([True] * 4, [False] * 4)
    assert count_left(row) == CODES - 4


def test_a_new_set_voids_the_old_one_and_gates_that_were_passed_with_it(acme: Acme) -> None:
    with acme.inside():
        old = give_backup_codes(acme.alice)
        [before] = CODES_METHOD.registrations(belongings(acme.alice), CONTEXT)
        new_set(acme.alice, now=NOW)
        [after] = CODES_METHOD.registrations(belongings(acme.alice), CONTEXT)

        assert not _is_right(acme, CODES_METHOD, old[0])
    assert before.anchor == after.anchor
    assert set(before.evidence).isdisjoint(after.evidence)


def test_their_owner_is_told_when_three_are_left(acme: Acme) -> None:
    with acme.inside():
        codes = give_backup_codes(acme.alice)
        told = []
        for typed in codes:
            assert _is_right(acme, CODES_METHOD, typed)
            told.append(Message.objects.filter(kind="backup_codes_low").count())

    assert told == [0, 0, 0, 0, 0, 0, 1, 2, 3, 4]


def test_the_last_code_keeps_its_gate_for_as_long_as_a_journey_and_no_longer(acme: Acme) -> None:
    with acme.inside():
        for typed in give_backup_codes(acme.alice):
            _is_right(acme, CODES_METHOD, typed)
        own = belongings(acme.alice)

        assert len(CODES_METHOD.registrations(own, CONTEXT)) == 1
        assert CODES_METHOD.registrations(own, _at(16)) == ()  # type: ignore[arg-type]  # a context


def test_nothing_of_a_code_is_kept(acme: Acme) -> None:
    with acme.inside():
        codes = [*give_backup_codes(acme.alice), give_pass(acme.alice, NOW)]
        kept = [row.read().reveal() for row in Credential.objects.filter(user=acme.alice)]

    assert not any(each.encode() in text for each in codes for text in kept)


@pytest.mark.parametrize(("minutes", "right"), [(0, True), (9.9, True), (10, False)])
def test_a_pass_works_within_its_time(acme: Acme, minutes: float, right: bool) -> None:
    with acme.inside():
        typed = give_pass(acme.alice, NOW, minutes=10)

        assert _is_right(acme, PASS_METHOD, typed, minutes) is right
        own = belongings(acme.alice)
        registered = PASS_METHOD.registrations(own, _at(minutes))  # type: ignore[arg-type]  # a context
    assert bool(registered) is right


@pytest.mark.parametrize("once", [True, False])
def test_a_pass_works_once_unless_it_was_issued_for_more(acme: Acme, once: bool) -> None:
    with acme.inside():
        typed = give_pass(acme.alice, NOW, once=once)
        uses = [_is_right(acme, PASS_METHOD, typed) for _ in range(3)]

    assert uses == [True, not once, not once]


def test_a_pass_that_was_just_used_keeps_its_gate_although_its_time_is_over(acme: Acme) -> None:
    with acme.inside():
        typed = give_pass(acme.alice, NOW, minutes=10)
        assert _is_right(acme, PASS_METHOD, typed, 9)
        own = belongings(acme.alice)

        assert len(PASS_METHOD.registrations(own, _at(20))) == 1  # type: ignore[arg-type]  # a context
        assert PASS_METHOD.registrations(own, _at(25)) == ()  # type: ignore[arg-type]  # a context


def test_a_new_pass_voids_the_old_one(acme: Acme) -> None:
    with acme.inside():
        old, new = give_pass(acme.alice, NOW), give_pass(acme.alice, NOW)

        assert not _is_right(acme, PASS_METHOD, old)
        assert _is_right(acme, PASS_METHOD, new)


def test_issuing_a_pass_is_recorded_and_told_without_it(acme: Acme) -> None:
    with acme.inside():
        typed = give_pass(acme.alice, NOW, minutes=30)
        [event] = AuditEvent.objects.filter(type="pass.issued")
        told = Message.objects.filter(kind="pass_issued")

        assert (event.data, event.reason) == ({"minutes": 30, "once": True}, "Known by voice")
        assert event.target_id == acme.alice.pk
        assert told.count() == 1
        assert typed not in str(event.data)


@pytest.mark.parametrize(
    ("minutes", "by", "usable"),
    [(9, "desk", True), (61, "desk", True), (30, "alice", True), (30, "desk", False)],
    ids=["too short", "too long", "for oneself", "for somebody disabled"],
)
def test_no_pass_is_issued(acme: Acme, minutes: int, by: str, usable: bool) -> None:
    doer = HELP_DESK if by == "desk" else Party("administrator", acme.alice.pk, "alice")
    with acme.inside():
        acme.alice.is_active = usable
        acme.alice.save()
        with pytest.raises(Invalid):
            issue_pass(
                acme.alice,
                lifetime=timedelta(minutes=minutes),
                once=True,
                reason="",
                by=doer,
                now=NOW,
            )

        assert not Credential.objects.exists()
