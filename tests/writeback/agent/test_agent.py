"""The running agent put together, in the process of the tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.services.ports import wait_until
from tests.writeback.agent.conftest import Call
from tests.writeback.agent.host import make_job
from tests.writeback.agent.product import Product
from tests.writeback.bench import passwords_for
from writeback.agent.config import read_config
from writeback.agent.identity import load_identity
from writeback.agent.pace import Ending
from writeback.agent.run import Agent
from writeback.agent.status import read_status
from writeback.connectors import registry


class Running:
    """An agent that runs in a thread."""

    def __init__(self, config: Path) -> None:
        self.config = read_config(config)
        self.ending = Ending()
        identity = load_identity(self.config.state)
        directory = registry.make_directory("scripted", self.config.settings, lambda: "")
        self.directory = directory
        self.agent = Agent(self.config, identity, directory, self.ending)
        self.codes: list[int] = []
        self._thread = Thread(target=lambda: self.codes.append(self.agent.run()))
        self._thread.start()

    def end(self) -> int:
        self.ending.ask()
        return self.ended()

    def ended(self) -> int:
        self._thread.join(60)
        return self.codes[0]

    def status(self, now: int | None = None) -> dict[str, Any]:
        path = self.config.state / "status.json"
        written = json.loads(path.read_text())["written"] if path.exists() else 0
        return read_status(self.config, written if now is None else now)


@pytest.fixture
def running(call: Call, config: Path, plain: Product) -> Iterator[Running]:
    call("enrol", typed="good-code\n")
    running = Running(config)
    yield running
    running.end()


def test_a_running_agent_does_a_job_and_tells_its_status(
    running: Running, plain: Product, call: Call
) -> None:
    wait_until(lambda: bool(plain.heartbeats), "a heartbeat")
    job = make_job()
    plain.hand_out(job, passwords_for(job))
    wait_until(lambda: bool(plain.reports_of(job.id)), "a report")

    assert plain.reports_of(job.id)[0]["outcome"] == "succeeded"
    wait_until(lambda: running.status()["healthy"], "a status of health")
    code, out, _ = call("status")
    assert (code, "running" in out, "ok (dc1)" in out) == (0, True, True)
    gone = running.status(now=10**10)
    assert (gone["state"], gone["healthy"]) == ("gone", False)
    assert running.end() == 0
    assert running.status()["state"] == "stopped"


def test_what_is_no_job_is_passed_over(running: Running, plain: Product) -> None:
    wait_until(lambda: bool(plain.heartbeats), "a heartbeat")
    plain.line.put({"job": "x"})
    wait_until(plain.line.empty, "the job to be taken")
    job = make_job()
    plain.hand_out(job, passwords_for(job))
    wait_until(lambda: bool(plain.reports_of(job.id)), "a report")


def test_a_product_that_turns_it_away_ends_it(running: Running, plain: Product) -> None:
    wait_until(lambda: bool(plain.heartbeats), "a heartbeat")
    plain.turn_away = (401, "revoked")

    assert running.ended() == 3
    assert "revoked this agent" in running.status()["problem"]


def test_a_fault_in_a_part_ends_the_whole(
    call: Call, config: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(self: object) -> None:
        raise RuntimeError("it may say anything")

    call("enrol", typed="good-code\n")
    monkeypatch.setattr("writeback.agent.mending.Mending.look", fault)

    assert Running(config).ended() == 1
    assert "a fault in the agent: RuntimeError at" in caplog.text
    assert "it may say anything" not in caplog.text


def test_a_damaged_journal_is_told_and_no_job_asked_for(
    call: Call, config: Path, plain: Product, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    call("enrol", typed="good-code\n")
    (tmp_path / "state" / "journal").write_bytes(b"nonsense\n")
    running = Running(config)
    wait_until(lambda: bool(plain.heartbeats), "a heartbeat")

    wait_until(lambda: running.status()["journal"] == "damaged", "the status")
    _, out, _ = call("status")
    assert running.end() == 0

    assert plain.heartbeats[0]["journal"] == "damaged"
    assert "--replace" in out
    assert all(path != "/agent/v1/jobs/next" for path, _ in plain.calls)
