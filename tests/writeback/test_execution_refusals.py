"""What an agent does not do, whatever it is told: the directory stays as it is."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.writeback.bench import JOB, NEW, SIGNER, SIGNERS, START, Bench
from tests.writeback.scripted import Person
from writeback.agent.cap import Cap
from writeback.protocol import Envelope, Passwords, key_id, make_envelope, read_envelope

CHANGES = ["reset", "change", "unlock", "reset_and_unlock"]


def _moved(person: Person) -> None:
    person.place = r"CN=Alice\,OU=Staff,DC=example,DC=com"


def _protected(person: Person) -> None:
    person.protected = True


def _disabled(person: Person) -> None:
    person.enabled = False


def _ended(person: Person) -> None:
    person.account_ends = START.timestamp()


def _gone(person: Person) -> None:
    person.anchor = "another"


REFUSED = [
    (_moved, "outside_places"),
    (_protected, "protected"),
    (_disabled, "person_disabled"),
    (_ended, "account_ended"),
    (_gone, "person_missing"),
]


@pytest.mark.parametrize("fence", [1, 2])
@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize(("change", "cause"), REFUSED)
def test_people_who_may_not_be_touched_are_not(
    bench: Bench, change: Callable[[Person], None], cause: str, operation: str, fence: int
) -> None:
    bench.directory.person.locked = True
    change(bench.directory.person)

    report = bench.do(operation, fence)

    assert (report.outcome, report.cause, report.changed) == ("failed", cause, False)
    assert "asked" not in bench.directory.seen
    assert bench.journal.times() == []


@pytest.mark.parametrize("operation", ["verify", "describe"])
@pytest.mark.parametrize(
    ("change", "verify", "describe"),
    [
        (_moved, "outside_places", "outside_places"),
        (_protected, "protected", ""),
        (_disabled, "", ""),
        (_ended, "", ""),
        (_gone, "person_missing", "person_missing"),
    ],
)
def test_asking_is_bound_to_the_places_and_signing_in_to_the_protection_too(
    bench: Bench, change: Callable[[Person], None], verify: str, describe: str, operation: str
) -> None:
    change(bench.directory.person)

    report = bench.do(operation)

    assert report.cause == {"verify": verify, "describe": describe}[operation]
    assert ("sign_in" in bench.directory.seen) is (operation == "verify" and not verify)


def test_protected_people_are_touched_where_the_organisation_decided_so(bench: Bench) -> None:
    bench.directory.person.protected = True
    bench.bound(may_touch_protected=True)

    assert bench.do("reset").outcome == "succeeded"


def test_an_account_that_ends_later_has_not_ended(bench: Bench) -> None:
    bench.directory.person.account_ends = (START + timedelta(seconds=1)).timestamp()

    assert bench.do("reset").outcome == "succeeded"


@pytest.mark.parametrize("name", ["tenant", "group"])
def test_a_job_of_another_tenant_or_group_is_not_touched(bench: Bench, name: str) -> None:
    other: dict[str, Any] = {name: UUID(int=99)}

    report = bench.do("reset", **other)

    assert (report.outcome, report.cause) == ("failed", "not_for_this_agent")
    assert bench.directory.seen == []
    assert bench.do("reset").outcome == "succeeded"


def test_a_directory_that_finds_somebody_else_is_not_believed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(bench.directory.person.entry(), anchor="somebody else")
    monkeypatch.setattr(Person, "entry", lambda person: other)

    report = bench.do("reset")

    assert (report.cause, bench.directory.sets) == ("person_missing", 0)


def test_what_was_sealed_for_another_job_is_not_opened(bench: Bench) -> None:
    """The envelope of Alice's job with the sealed password of another one (A-106)."""
    mine, other = bench.deliver(), bench.deliver(replace(JOB, id=UUID(int=9)))
    moved = Envelope(mine.job, other.envelope.sealed)

    report = bench.perform(replace(mine, envelope=moved))

    assert (report.outcome, report.cause) == ("failed", "not_sealed_for_this")
    assert (bench.directory.sets, bench.journal.times()) == (0, [])
    assert bench.perform(mine).outcome == "succeeded"


def test_what_was_sealed_to_a_key_that_is_gone_is_not_opened(bench: Bench) -> None:
    gone = X25519PrivateKey.generate().public_key()
    job = replace(JOB, key=key_id(gone))
    envelope = read_envelope(make_envelope(job, Passwords(NEW), gone, SIGNER), SIGNERS, START)

    report = bench.perform(replace(bench.deliver(), envelope=envelope))

    assert (report.outcome, report.cause, bench.directory.sets) == ("failed", "key_mismatch", 0)


def test_ten_go_in_a_burst_and_the_eleventh_is_held(bench: Bench) -> None:
    found = [bench.do("reset", id=UUID(int=number)).cause for number in range(1, 12)]

    assert found == [""] * 10 + ["held"]
    assert bench.directory.sets == 10
    assert bench.do("verify", id=UUID(int=99)).answer == "wrong"
    bench.clock.pass_by(60)
    assert bench.do("unlock", id=UUID(int=100)).cause == ""
    assert bench.do("reset", id=UUID(int=101)).cause == "held"


def test_no_hour_holds_more_than_sixty(bench: Bench) -> None:
    done = 0
    for number in range(1, 80):
        job: dict[str, Any] = {"not_before": bench.clock.at}
        job["expires"] = bench.clock.at + timedelta(seconds=300)
        done += bench.do("reset", id=UUID(int=number), **job).cause == ""
        bench.clock.pass_by(44)

    assert done == bench.directory.sets
    assert done <= 60


def test_the_last_place_of_the_hour_is_given_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread takes it between the first look and the intent."""
    bench.bound(cap=Cap(per_hour=1, burst=1))

    def other() -> None:
        bench.journal.intend(UUID(int=9), 9, int(START.timestamp()), {})

    bench.directory.plan["witness"] = [other]

    report = bench.do("reset")

    assert (report.outcome, report.cause, bench.directory.sets) == ("failed", "held", 0)


def test_a_job_that_another_thread_began_meanwhile_is_left_to_it(bench: Bench) -> None:
    def other() -> None:
        bench.journal.intend(JOB.id, JOB.sequence, int(START.timestamp()), {})

    bench.directory.plan["witness"] = [other]

    report = bench.do("reset")

    assert (report.outcome, report.cause, bench.directory.sets) == ("unknown", "no_answer", 0)


def test_a_full_disk_refuses_before_the_directory_is_touched(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        report = bench.do("reset")
    again = bench.do("reset")

    for one in (report, again):
        assert (one.outcome, one.cause) == ("failed", "journal")
    assert bench.directory.sets == 0
    assert "asked" not in bench.directory.seen


def test_a_journal_that_is_not_believed_sets_nothing(bench: Bench) -> None:
    bench.journal.compare(99)

    assert bench.do("reset").cause == "journal"
    assert bench.directory.sets == 0


def test_a_disk_that_fills_after_the_change_does_not_make_a_lie_of_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "no space left")

    bench.directory.plan["applied"] = [lambda: monkeypatch.setattr(os, "fsync", full)]

    report = bench.do("reset")

    assert (report.outcome, report.changed, bench.directory.sets) == ("succeeded", True, 1)
    assert [entry.job for entry in bench.journal.unsettled()] == [str(JOB.id)]
