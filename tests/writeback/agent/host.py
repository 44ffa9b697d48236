"""The machine an agent runs on, and the jobs it is handed."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from tests.services.ports import wait_until
from tests.writeback.agent.certificates import Authority
from tests.writeback.agent.product import Product
from tests.writeback.bench import JOB, passwords_for
from tests.writeback.scripted import Person
from writeback.agent.config import read_config
from writeback.agent.identity import Identity
from writeback.agent.status import read_status
from writeback.protocol import LIFETIME, Job, key_id

ROOT = Path(__file__).resolve().parents[3]
CONFIG = """
product = "{product}"
ca_file = "{ca}"
state = "{folder}/state"
name = "agent-1"
[directory]
kind = "scripted"
canary = "{canary}"
[directory.settings]
state = "{folder}/directory.json"
once = "{folder}/once"
[directory.settings.plan]
{plan}
[limits]
places = ["OU=Staff,DC=example,DC=com"]
at_once = 2
"""


class Host:
    """The machine an agent runs on."""

    def __init__(self, folder: Path, product: Product, authority: Authority) -> None:
        self.folder = folder
        self.product = product
        self._authority = authority
        self.running: list[subprocess.Popen[str]] = []
        self.configure()

    def configure(self, **plan: str) -> None:
        text = CONFIG.format(
            product=self.product.url,
            ca=self._authority.path,
            folder=self.folder,
            canary=Person().anchor,
            plan="\n".join(f'{point} = "{what}"' for point, what in plan.items()),
        )
        (self.folder / "agent.toml").write_text(text)

    def command(self, *arguments: str) -> list[str]:
        config = str(self.folder / "agent.toml")
        start = [sys.executable, "-m", "tests.writeback.agent.process"]
        return [*start, *arguments, "--config", config]

    def ask(self, *arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            input=code,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def enrol(self) -> None:
        """As the command does, without a process of its own."""
        private, signer = Ed25519PrivateKey.generate(), self.product.signer.public_key()
        identity = Identity(
            self.product.add_agent(private.public_key()),
            JOB.tenant,
            JOB.group,
            private,
            {key_id(signer): signer},
            self.product.api.public_key(),
        )
        (self.folder / "state").mkdir(mode=0o700)
        identity.save(self.folder / "state")

    def run(self) -> subprocess.Popen[str]:
        """Starts the agent, and waits until the product has its first heartbeat."""
        beats = len(self.product.heartbeats)
        process = self.start()
        wait_until(lambda: len(self.product.heartbeats) > beats, "a heartbeat")
        return process

    def start(self) -> subprocess.Popen[str]:
        """Once nothing is handed to an agent any more that was killed while it waited."""
        wait_until(lambda: self.product.waiting == 0, "the end of a dead agent's call")
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(self.command("run"), cwd=ROOT, stderr=log, text=True)
        self.running.append(process)
        return process

    def status(self) -> dict[str, Any]:
        now = int(timezone.now().timestamp())
        return read_status(read_config(self.folder / "agent.toml"), now)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def person(self) -> Person:
        path = self.folder / "directory.json"
        return Person(**json.loads(path.read_text())) if path.exists() else Person()

    @property
    def sets(self) -> int:
        return self.person.version - Person().version

    def release(self) -> None:
        """Lets a directory that hangs go on."""
        (self.folder / "released").touch()


def make_job(number: int = 1, operation: Any = "reset") -> Job:
    now = timezone.now() - timedelta(seconds=1)
    return replace(
        JOB,
        id=UUID(int=number),
        operation=operation,
        not_before=now,
        expires=now + LIFETIME,
        sequence=number,
    )


def hand_out(host: Host, job: Job, fence: int = 1) -> None:
    host.product.hand_out(job, passwords_for(job), fence)


def wait_for_report(host: Host, job: Job, outcome: str) -> dict[str, Any]:
    def reported() -> bool:
        found = host.product.reports_of(job.id)
        return bool(found) and found[-1]["outcome"] == outcome

    wait_until(reported, f"a report of {outcome}")
    return host.product.reports_of(job.id)[-1]


def end(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=60)
