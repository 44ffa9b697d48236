"""An agent that is killed, cut off or held up at every point: each time the directory holds what
the product was told, and at the most one change of a job."""

import signal

import pytest

from tests.services.ports import wait_until
from tests.writeback.agent.host import Host, end, hand_out, make_job, wait_for_report
from tests.writeback.bench import NEW


@pytest.mark.parametrize("point", ["witness", "asked", "applied"])
@pytest.mark.slow
def test_an_agent_that_is_killed_on_a_job_has_it_done_once_after_its_restart(
    host: Host, point: str
) -> None:
    host.configure(**{point: "kill"})
    process, job = host.run(), make_job()
    hand_out(host, job)
    process.wait(timeout=60)
    assert (process.returncode, host.product.reports_of(job.id)) == (-signal.SIGKILL, [])

    process = host.run()
    hand_out(host, job, fence=2)
    report = wait_for_report(host, job, "succeeded")

    assert (host.person.password, host.sets) == (NEW, 1)
    assert report["changed"] is True
    assert end(process) == 0


@pytest.mark.slow
def test_a_change_made_before_a_kill_is_found_without_the_job_coming_again(host: Host) -> None:
    host.configure(applied="kill")
    process, job = host.run(), make_job()
    hand_out(host, job)
    process.wait(timeout=60)

    host.run()
    report = wait_for_report(host, job, "succeeded")

    assert (report["reconciled"], report["changed"], host.sets) == (True, True, 1)


def test_a_result_that_was_not_brought_before_a_kill_is_brought_after_it(host: Host) -> None:
    host.product.is_deaf.set()
    process, job = host.run(), make_job()
    hand_out(host, job)
    journal = host.folder / "state" / "journal"
    wait_until(lambda: b'"kind":"result"' in journal.read_bytes(), "the result on disk")
    process.kill()
    process.wait()

    host.product.is_deaf.clear()
    process = host.run()
    report = wait_for_report(host, job, "succeeded")

    assert (report["changed"], report["reconciled"], host.sets) == (True, False, 1)
    wait_until(lambda: b'"kind":"reported"' in journal.read_bytes(), "the note of it")
    assert end(process) == 0


def test_a_result_is_brought_when_the_product_is_there_again(host: Host) -> None:
    host.product.is_deaf.set()
    host.run()
    hand_out(host, job := make_job())
    wait_until(lambda: host.sets == 1, "the change")
    host.product.is_down.set()
    wait_until(lambda: "no job could be asked for" in host.log, "the agent to notice")
    host.product.is_deaf.clear()
    host.product.is_down.clear()

    assert wait_for_report(host, job, "succeeded")["changed"] is True
    assert host.sets == 1


def test_a_result_of_a_job_that_another_took_over_is_brought_once(host: Host) -> None:
    host.configure(asked="hang")
    process, job = host.run(), make_job()
    hand_out(host, job)
    wait_until((host.folder / "once").exists, "the directory to hang")
    host.product.fences[job.id] = 2
    host.release()

    wait_for_report(host, job, "succeeded")
    journal = host.folder / "state" / "journal"
    wait_until(lambda: b'"kind":"reported"' in journal.read_bytes(), "the note of it")

    assert [fence for _, fence, _ in host.product.results] == [1]
    assert end(process) == 0


def test_a_job_in_hand_that_is_handed_out_again_is_reported_under_the_newer_hand_out(
    host: Host,
) -> None:
    host.configure(asked="hang")
    host.run()
    hand_out(host, job := make_job())
    wait_until((host.folder / "once").exists, "the directory to hang")
    hand_out(host, job, fence=2)
    wait_until(host.product.line.empty, "the job to be taken again")
    hand_out(host, other := make_job(2, "verify"))
    wait_for_report(host, other, "succeeded")
    host.release()

    wait_for_report(host, job, "succeeded")

    assert [fence for one, fence, _ in host.product.results if one == job.id] == [2]
    assert host.sets == 1


def test_a_directory_that_hangs_on_one_job_stops_neither_another_nor_a_heartbeat(
    host: Host,
) -> None:
    host.configure(asked="hang")
    host.run()
    hand_out(host, stuck := make_job())
    wait_until((host.folder / "once").exists, "the directory to hang")

    hand_out(host, other := make_job(2, "describe"))
    report = wait_for_report(host, other, "succeeded")

    assert report["person"]["may_reset"] is True
    assert host.product.reports_of(stuck.id) == []
    host.release()
    wait_for_report(host, stuck, "succeeded")


@pytest.mark.slow
def test_no_answer_is_told_before_the_person_gave_up_waiting_and_the_truth_after_it(
    host: Host,
) -> None:
    """The answer is cut off and the server stays away until the "unknown" was told."""
    host.configure(applied="lost")
    host.run()
    hand_out(host, job := make_job())

    wait_for_report(host, job, "unknown")
    host.release()

    assert wait_for_report(host, job, "succeeded")["reconciled"] is True
    outcomes = [report["outcome"] for report in host.product.reports_of(job.id)]
    assert (outcomes, host.sets) == (["unknown", "succeeded"], 1)


def test_a_full_disk_is_told_and_the_directory_not_touched(host: Host) -> None:
    host.configure(witness="full")
    host.run()
    hand_out(host, job := make_job())

    report = wait_for_report(host, job, "failed")

    assert (report["cause"], host.sets) == ("journal", 0)
    wait_until(lambda: host.product.heartbeats[-1]["journal"] == "damaged", "the alarm")
    hand_out(host, make_job(2))
    beats = len(host.product.heartbeats)
    assert (host.product.line.empty(), host.sets, beats >= 2) == (False, 0, True)


def test_a_journal_from_a_backup_is_noticed_and_nothing_is_set(host: Host) -> None:
    host.product.seen_sequence = 9
    process = host.start()
    wait_until(
        lambda: (
            bool(host.product.heartbeats) and host.product.heartbeats[-1]["journal"] == "damaged"
        ),
        "the alarm",
    )
    hand_out(host, make_job())

    assert host.status()["journal"] == "damaged"
    assert end(process) == 0
    assert ("/agent/v1/jobs/next" in dict(host.product.calls), host.sets) == (False, 0)
    assert "enrol this agent again" in host.log
