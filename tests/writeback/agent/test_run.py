"""An agent as it is run: a process beside its directory, that only ever calls out."""

import json
import signal
from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.services.ports import wait_until
from tests.writeback.agent.host import Host, end, hand_out, make_job, wait_for_report
from tests.writeback.bench import NEW, passwords_for
from writeback.words import fingerprint


def test_an_agent_is_enrolled_runs_does_its_jobs_and_ends_when_asked(host: Host) -> None:
    process = host.run()
    job = make_job()

    hand_out(host, job)
    report = wait_for_report(host, job, "succeeded")
    hand_out(host, verify := make_job(2, "verify"))

    assert (report["changed"], host.person.password, host.sets) == (True, NEW, 1)
    assert wait_for_report(host, verify, "succeeded")["answer"] == "wrong"
    wait_until(lambda: host.status()["healthy"], "a status of health")
    said = host.ask("status")
    assert (said.returncode, "last heartbeat" in said.stdout) == (0, True)
    machine = host.ask("status", "--json")
    assert json.loads(machine.stdout) == host.status()
    assert end(process) == 0
    status = host.status()
    assert (status["state"], status["healthy"], status["journal"]) == ("stopped", False, "sound")
    assert "fault" not in host.log


def test_nothing_secret_is_on_the_agent_s_disk_but_keys(host: Host) -> None:
    process, job = host.run(), make_job(operation="change")
    hand_out(host, job)
    wait_for_report(host, job, "succeeded")
    assert end(process) == 0

    kept = [path for path in (host.folder / "state").rglob("*") if path.is_file()]
    for path in [*kept, host.folder / "log"]:
        data = path.read_bytes()
        for form in (NEW.encode(), NEW.encode("utf-16-le"), json.dumps(NEW).encode()):
            assert form not in data, path
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


@pytest.mark.parametrize(
    ("refusal", "code", "says"),
    [
        ((401, "revoked"), 3, "revoked this agent"),
        ((401, "unknown"), 3, "does not know this agent"),
        ((409, "upgrade_required"), 4, "upgrade"),
    ],
)
def test_an_agent_that_is_not_wanted_ends_and_says_why(
    host: Host, refusal: tuple[int, str], code: int, says: str
) -> None:
    process = host.run()

    host.product.turn_away = refusal

    assert process.wait(timeout=60) == code
    assert says in host.log.splitlines()[-1]
    assert says in host.status()["problem"]


def test_an_agent_whose_words_are_not_confirmed_waits(host: Host) -> None:
    host.product.turn_away = (403, "pending")
    process = host.start()
    wait_until(lambda: "six words" in host.log, "the agent to say what it waits for")
    wait_until(lambda: host.status()["product"] == "pending", "the status to say so too")

    host.product.turn_away = None
    wait_until(lambda: bool(host.product.heartbeats), "a heartbeat")

    assert end(process) == 0


def test_a_proxy_can_t_revoke_an_agent(host: Host) -> None:
    process = host.run()
    host.product.tamper = lambda said: replace(
        said, status=401, body=b'{"error":"revoked"}', signature=""
    )
    wait_until(lambda: "not signed by the product" in host.log, "the agent to notice")

    host.product.tamper = lambda said: said
    hand_out(host, job := make_job())

    assert wait_for_report(host, job, "succeeded")["changed"] is True
    assert process.poll() is None


def test_an_agent_that_is_asked_to_end_finishes_what_is_in_hand(host: Host) -> None:
    host.configure(asked="hang")
    process, job = host.run(), make_job()
    hand_out(host, job)
    wait_until((host.folder / "once").exists, "the directory to hang")

    process.send_signal(signal.SIGTERM)
    host.release()

    assert process.wait(timeout=60) == 0
    assert [report["outcome"] for report in host.product.reports_of(job.id)] == ["succeeded"]
    assert host.sets == 1


def test_a_fault_in_a_connector_ends_one_job_and_shows_nothing(host: Host) -> None:
    host.configure(witness="fault")
    process, job = host.run(), make_job()
    hand_out(host, job)

    assert wait_for_report(host, job, "failed")["cause"] == "refused"
    assert "ZeroDivisionError at" in host.log
    hand_out(host, again := make_job(2))
    assert wait_for_report(host, again, "succeeded")["changed"] is True
    assert process.poll() is None


def test_jobs_that_are_none_for_this_agent_are_refused(host: Host) -> None:
    host.run()
    product, job = host.product, make_job()
    host.product.signer, right = Ed25519PrivateKey.generate(), host.product.signer
    hand_out(host, job)
    assert wait_for_report(host, job, "failed")["cause"] == "unknown_signer"

    host.product.signer = right
    hand_out(host, elsewhere := replace(make_job(2), tenant=UUID(int=99)))
    assert wait_for_report(host, elsewhere, "failed")["cause"] == "not_for_this_agent"

    other = make_job(3)
    hand_out(host, other)
    assert wait_for_report(host, other, "succeeded")
    moved = UUID(int=77)
    product.hand_out(other, passwords_for(other))
    item = product.line.get()
    product.line.put({**item, "job": str(moved)})
    wait_until(lambda: bool(product.reports_of(moved)), "a report")
    assert product.reports_of(moved)[-1]["cause"] == "malformed"
    assert host.sets == 1


def test_two_agents_do_not_run_on_one_state(host: Host) -> None:
    host.run()

    second = host.ask("run")

    assert second.returncode == 1
    assert "another agent runs on" in second.stderr
    again = host.ask("enrol", "--replace", code="good-code")
    assert "stop it first" in again.stderr


def test_an_agent_is_enrolled_anew_only_on_demand(host: Host) -> None:
    before = host.status()
    assert host.ask("enrol", code="other").returncode == 1

    host.product.codes.add("other")
    code_file = host.folder / "code"
    code_file.write_text("other\n")
    again = host.ask("enrol", "--replace", "--code-file", str(code_file))

    after = host.status()
    assert again.returncode == 0, again.stderr
    assert " ".join(after["words"]) in again.stdout
    assert (after["agent"] == before["agent"], after["words"] == before["words"]) == (False, False)
    identity = host.product.agents[after["agent"]].public_bytes_raw()
    assert tuple(after["words"]) == fingerprint(identity)
