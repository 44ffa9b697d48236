"""The product's own agents at work: one change a job, whoever is killed, slow or away."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tenants.lookup import tenants_with_direct_jobs
from tests.cast import Acme, Beta, Organisation
from tests.services.ports import wait_until
from tests.writeback.directly import (
    HOST,
    WANTED,
    Reachable,
    fresh,
    scripted,
    set_up,
)
from tests.writeback.drilling import name_canary
from tests.writeback.field import SIGNER, link, make_connector, sign_what_waits
from tests.writeback.orders import order
from tests.writeback.scripted import away, cut, raises
from writeback.agent.pace import Ending
from writeback.direct import telling as telling_module
from writeback.direct import work as work_module
from writeback.direct.memory import DatabaseMemory
from writeback.direct.office import AT_ONCE
from writeback.direct.work import DirectWork
from writeback.keys import written
from writeback.models import Begun, Connector, WritebackJob
from writeback.services.drills import start
from writeback.services.outcome import sweep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Reachable:
    settings.SSPR_DIRECT_HOSTS = [HOST]
    settings.SSPR_SIGNER_PUBLIC_KEYS = (written(SIGNER.public_key()),)
    monkeypatch.setattr("writeback.agent.mending.OFTEN", 0.0)
    return scripted(monkeypatch)


@pytest.fixture
def direct(acme: Acme, connector: Connector, directory: Reachable) -> Connector:
    """Head office, reached by the product itself, with an account for drills."""
    set_up(acme, connector)
    name_canary(acme, fresh(acme, connector), directory.person.anchor)
    return fresh(acme, connector)


@pytest.fixture
def work() -> Iterator[DirectWork]:
    found = DirectWork()
    yield found
    found.stop()


def drill(acme: Organisation, connector: Connector) -> None:
    """A reset is asked for, signed."""
    with acme.inside():
        assert start(connector.pk, timezone.now()) is not None
    sign_what_waits(timezone.now())


def jobs(acme: Organisation) -> list[WritebackJob]:
    with acme.inside():
        rows = WritebackJob.objects.select_related("agent")
        return list(rows.order_by("created_at"))


def begun(acme: Organisation) -> list[Begun]:
    with acme.inside():
        return list(Begun.objects.all())


def older(acme: Acme, seconds: int) -> None:
    """As if everything had been begun so much earlier."""
    with acme.inside():
        for row in Begun.objects.all():
            row.at -= seconds
            row.facts["at"] -= seconds
            row.save()
        for job in WritebackJob.objects.exclude(taken_at=None):
            span = timedelta(seconds=seconds)
            job.taken_at, job.leased_until = job.taken_at - span, job.leased_until - span
            job.save()


def test_a_reset_and_a_sign_in_are_carried_out_and_told(
    acme: Acme, direct: Connector, directory: Reachable, work: DirectWork
) -> None:
    drill(acme, direct)
    assert work.once() == 1
    sign_what_waits(timezone.now())
    assert work.once() == 1

    reset, check = jobs(acme)
    assert reset.agent is not None
    assert (reset.outcome, reset.changed, reset.agent.own) == ("succeeded", True, True)
    assert (check.outcome, check.answer) == ("succeeded", "right")
    assert directory.sets == 1
    [entry] = begun(acme)
    assert entry.result is not None
    assert (entry.job, entry.result["report"]["outcome"]) == (reset.pk, "succeeded")
    assert directory.person.password not in str((entry.facts, entry.result))
    assert fresh(acme, direct).drill_outcome == "passed"
    assert work.once() == 0


@pytest.mark.parametrize(
    ("changes", "person", "cause"),
    [
        ({"places": ("OU=Others,DC=example,DC=com",)}, {}, "outside_places"),
        ({}, {"protected": True}, "protected"),
        ({}, {"enabled": False}, "person_disabled"),
    ],
)
def test_nobody_outside_of_the_bounds_is_touched(
    acme: Acme,
    direct: Connector,
    directory: Reachable,
    work: DirectWork,
    changes: dict[str, Any],
    person: dict[str, Any],
    cause: str,
) -> None:
    set_up(acme, direct, replace(WANTED, **changes), "")
    for name, value in person.items():
        setattr(directory.person, name, value)
    drill(acme, direct)

    work.once()

    [job] = jobs(acme)
    assert (job.outcome, job.cause, directory.sets) == ("failed", cause, 0)
    assert begun(acme) == []


def test_no_more_passwords_are_set_than_the_cap_allows(
    acme: Acme, direct: Connector, directory: Reachable, work: DirectWork
) -> None:
    set_up(acme, direct, replace(WANTED, per_hour=1, burst=1), "")
    with acme.inside():
        Begun.objects.create(
            connector=direct,
            job=uuid4(),
            sequence=1,
            at=int(timezone.now().timestamp()),
            settled_at=1,
        )
    drill(acme, direct)

    work.once()

    [job] = jobs(acme)
    assert (job.cause, directory.sets) == ("held", 0)


def test_what_ended_without_an_answer_is_found_out_by_the_next_worker(
    acme: Acme, direct: Connector, directory: Reachable, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.plan["applied"] = [cut()]
    drill(acme, direct)
    # It is asked to end while it waits.
    monkeypatch.setattr(Ending, "wait", lambda self, seconds: True)
    DirectWork().once()
    [job] = jobs(acme)
    assert (job.outcome, job.cause, directory.sets) == ("unknown", "no_answer", 1)

    second = DirectWork()
    second.care_round()
    assert jobs(acme)[0].outcome == "unknown", "it was begun a moment ago"
    older(acme, 100)
    directory.person.changed_at -= 100
    monkeypatch.setattr("writeback.outcomes.SETTLES_AFTER", timedelta(seconds=-1))
    second.care_round()
    second_told(second)

    job = jobs(acme)[0]
    assert (job.outcome, job.reconciled, directory.sets) == ("succeeded", True, 1)
    assert begun(acme)[0].result is not None


def second_told(work: DirectWork) -> None:
    """What was found out is brought by the thread that tells, which was not started here."""
    work._telling.bring_all()


def test_a_result_that_was_kept_and_not_told_is_told_later(
    acme: Acme, direct: Connector, directory: Reachable, work: DirectWork
) -> None:
    drill(acme, direct)
    assert work.take_round() == 1
    wait_until(lambda: bool(begun(acme) and begun(acme)[0].result), "a result")
    # The worker ends here, before it tells.
    later = timezone.now() + timedelta(seconds=100)
    sweep(later)
    assert jobs(acme)[0].outcome == "unknown"

    other = DirectWork()
    other.care_round()
    second_told(other)

    assert jobs(acme)[0].outcome == "succeeded"
    other.care_round()


def test_a_slow_directory_holds_up_nobody_but_itself(
    acme: Acme,
    beta: Beta,
    direct: Connector,
    directory: Reachable,
    monkeypatch: pytest.MonkeyPatch,
    work: DirectWork,
) -> None:
    quick = make_connector(beta, "Quick")
    set_up(beta, quick)
    quick = fresh(beta, quick)
    slow_jobs = AT_ONCE + 2
    link(acme, acme.bob, direct, directory.person.anchor)
    released, waiting = threading.Event(), []

    def gate() -> None:
        waiting.append(threading.current_thread())
        assert released.wait(30)

    directory.gate = gate
    for _ in range(slow_jobs):
        order(acme, acme.bob, timezone.now())
    while work.take_round():
        pass
    wait_until(lambda: len(waiting) == AT_ONCE, "as many jobs as may be at once")

    directory.gate = lambda: None
    name_canary(beta, quick, directory.person.anchor)
    drill(beta, quick)
    assert work.take_round() == 1
    wait_until(lambda: bool(begun(beta) and begun(beta)[0].result), "the other one's reset")
    assert len([job for job in jobs(acme) if job.state == "taken"]) == AT_ONCE

    released.set()
    while work.once() or any(job.state != "done" for job in jobs(acme)):
        pass
    assert {job.outcome for job in jobs(acme)} == {"succeeded"}


class TestLookingAfter:
    def test_a_directory_is_probed_now_and_then_by_one_worker(
        self, acme: Acme, direct: Connector, directory: Reachable, work: DirectWork
    ) -> None:
        other = DirectWork()
        for worker in (work, other, work):
            worker.care_round()
        assert directory.seen.count("connect") == 1
        row = fresh(acme, direct)
        assert (row.directory_state, (row.rules or {})["min_length"]) == ("ok", 10)

        directory.plan["connect"] = [away()]
        with acme.inside():
            Connector.objects.update(reported_at=timezone.now() - timedelta(minutes=4))
        other.care_round()
        row = fresh(acme, direct)
        assert (row.directory_state, row.trouble) == ("unreachable", "unreachable")

    def test_one_that_may_be_reached_no_more_is_told_as_such_and_gets_no_job(
        self,
        acme: Acme,
        direct: Connector,
        directory: Reachable,
        work: DirectWork,
        settings: Any,
    ) -> None:
        drill(acme, direct)
        settings.SSPR_DIRECT_HOSTS = []
        assert work.once() == 0
        work.care_round()
        row = fresh(acme, direct)
        assert (row.directory_state, row.trouble) == ("misconfigured", "configuration")
        assert directory.seen == []

    def test_settings_that_were_changed_hold_from_the_next_job_on(
        self, acme: Acme, direct: Connector, directory: Reachable, work: DirectWork
    ) -> None:
        drill(acme, direct)
        assert work.once() == 1
        set_up(acme, direct, replace(WANTED, places=("OU=Others,DC=example,DC=com",)), "")
        sign_what_waits(timezone.now())
        assert work.once() == 1
        assert jobs(acme)[1].cause == "outside_places"


class TestThreads:
    def test_carry_out_what_comes_and_end(
        self, acme: Acme, direct: Connector, directory: Reachable, work: DirectWork
    ) -> None:
        work.start()
        drill(acme, direct)
        wait_until(lambda: jobs(acme)[0].outcome == "succeeded", "the reset")
        wait_until(lambda: fresh(acme, direct).directory_state == "ok", "a look")
        work.stop()
        assert not [thread for thread in work._threads if thread.is_alive()]

    def test_go_on_after_a_fault(
        self,
        acme: Acme,
        direct: Connector,
        directory: Reachable,
        monkeypatch: pytest.MonkeyPatch,
        work: DirectWork,
    ) -> None:
        faults: list[Exception] = [OperationalError("away"), KeyError("a bug")]
        found = tenants_with_direct_jobs

        def faulty() -> list[UUID]:
            if faults:
                raise faults.pop()
            return found()

        monkeypatch.setattr(work_module, "tenants_with_direct_jobs", faulty)
        monkeypatch.setattr(work_module, "RESTS_AFTER_FAULT", 0.01)
        work.start()
        drill(acme, direct)
        wait_until(lambda: jobs(acme)[0].outcome == "succeeded", "the reset")

    def test_a_report_waits_for_the_database(
        self,
        acme: Acme,
        direct: Connector,
        directory: Reachable,
        monkeypatch: pytest.MonkeyPatch,
        work: DirectWork,
    ) -> None:
        monkeypatch.setattr(telling_module, "AGAIN_AFTER", 0.01)
        tell, faults = telling_module._tell, [OperationalError("away")]

        def faulty(waiting: Any) -> None:
            if faults:
                raise faults.pop()
            tell(waiting)

        monkeypatch.setattr(telling_module, "_tell", faulty)
        work.start()
        drill(acme, direct)
        wait_until(lambda: jobs(acme)[0].outcome == "succeeded", "the reset")


def test_what_a_worker_holds_is_in_its_hand(
    acme: Acme, direct: Connector, directory: Reachable
) -> None:
    drill(acme, direct)
    [job] = jobs(acme)
    memory = DatabaseMemory(acme.id, direct.pk, timezone.now)
    memory.intend(job.pk, 1, int(timezone.now().timestamp()) - 61, {})
    assert [entry.job for entry in memory.unsettled()] == [str(job.pk)]
    with acme.inside():
        until = timezone.now() + timedelta(seconds=5)
        WritebackJob.objects.update(state="taken", leased_until=until)
    assert memory.unsettled() == []


def test_an_intent_is_there_for_others_before_the_directory_is_touched(
    acme: Acme, direct: Connector, directory: Reachable, work: DirectWork
) -> None:
    seen: list[tuple[int, bool]] = []

    def look() -> None:
        seen.append((len(begun(acme)), connection.in_atomic_block))

    directory.plan["asked"] = [look]
    drill(acme, direct)
    work.once()
    assert seen == [(1, False)]


def test_a_fault_while_a_job_is_begun_is_no_change(
    acme: Acme, direct: Connector, directory: Reachable, work: DirectWork
) -> None:
    directory.plan["find"] = [raises(KeyError("a bug"))]
    drill(acme, direct)
    work.once()
    [job] = jobs(acme)
    assert (job.outcome, job.cause, directory.sets) == ("failed", "refused", 0)
