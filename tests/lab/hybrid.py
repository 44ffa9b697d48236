"""Everything a hybrid tenant has, as the processes it consists of.

The product (gunicorn), the signer and one or more agents run beside a real directory; the person
is a browser. Between agent and product, and between agent and directory, stands a proxy each that
can fail. Time is real here, so nothing waits for more than the product itself does.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from tests.cast import Acme, give_app, give_email, make_person
from tests.lab.administrator import Administrator
from tests.lab.seeds import Mark, Seed
from tests.lab.tcp_proxy import TcpProxy
from tests.security.lab.client import Browser
from tests.security.lab.lab import Lab
from tests.services.command import ROOT, CommandProcess
from tests.services.ports import wait_until
from tests.writeback.field import ADMIN
from writeback.models import Agent, Connector, DirectoryLink, WritebackJob
from writeback.services import enrolment
from writeback.services.outcome import sweep
from writeback.services.states import standings

READY_WITHIN = 30.0
HEALTHY = "healthy"


@dataclass
class AgentHome:
    """One agent of the lab: its folder and configuration, and its process while it runs."""

    folder: Path
    command: list[str]
    process: CommandProcess | None = None
    words: str = ""

    @property
    def config(self) -> Path:
        return self.folder / "agent.toml"

    def start(self) -> CommandProcess:
        """Begins to run, from where it stopped or was killed."""
        self.stop()
        arguments = [*self.command, "run", "--config", str(self.config)]
        self.process = CommandProcess(arguments, bare_environment())
        return self.process.start("begins")

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()

    @property
    def log(self) -> str:
        return self.process.log if self.process is not None else ""


def bare_environment() -> dict[str, str]:
    """What an agent has: nothing of the product's settings."""
    own = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "HOME"}}
    hidden = {name: "" for name in os.environ if name.startswith(("SSPR_", "DATABASE_"))}
    return {**hidden, **own, "PYTHONPATH": ""}


@dataclass
class Hybrid:
    """A lab with a directory behind it."""

    lab: Lab
    connector: Connector
    signer: CommandProcess
    homes: list[AgentHome] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)

    @property
    def acme(self) -> Acme:
        return self.lab.acme

    # --- People -----------------------------------------------------------------------------

    def add_person(self, name: str, anchor: UUID | str, **more: Any) -> User:
        """Somebody with an app and a mailbox, whose password is in the directory."""
        with self.acme.inside():
            user = make_person(
                name,
                self.acme.domain,
                licence=self.acme.subscription,
                surname="Hybrid",
                source=User.Source.PASSWORD_HASH_SYNC,
                **more,
            )
            give_email(user, f"{name}@example.net")
            give_app(user)
            self.link(user, anchor)
        return user

    def link(self, user: User, anchor: UUID | str, connector: Connector | None = None) -> None:
        with self.acme.inside():
            DirectoryLink.objects.create(
                user=user, connector=connector or self.connector, anchor=str(anchor)
            )

    # --- Journeys ---------------------------------------------------------------------------

    def proved(self, user: User) -> Browser:
        """A browser of somebody who gave both proofs."""
        browser = self.lab.browser()
        browser.start(user.user_id)
        browser.choose("app_code")
        browser.verify(self.lab.app_code(user))
        before = len(self.lab.all_codes())
        browser.choose("email", f"{user.user_id.partition('@')[0]}@example.net")
        # Where a worker is at work beside the server, it may be the one that sends it.
        wait_until(lambda: len(self.lab.all_codes()) > before, "the code")
        browser.verify(self.lab.code())
        return browser

    def choosing(self, user: User) -> Browser:
        """The same, at the page that asks for a new password."""
        browser = self.proved(user)
        if browser.state == "proved":
            browser.operation("reset")
        assert browser.state == "choosing", browser.state
        return browser

    def settled(self, browser: Browser, seconds: float = READY_WITHIN) -> str:
        """The state of the journey, once it is no longer at the writing."""
        return self.until(lambda: browser.status().page.state, "writing", seconds)

    def known(self, browser: Browser, seconds: float = READY_WITHIN) -> str:
        """The state of the journey, once it is known what became of it."""
        end = self.settled(browser, seconds)
        if end != "unknown":
            return end
        return self.until(lambda: browser.status().page.state, "unknown", seconds)

    def until(self, look: Callable[[], str], leaves: str, seconds: float = READY_WITHIN) -> str:
        found = leaves

        def moved() -> bool:
            nonlocal found
            found = look()
            return found != leaves

        wait_until(moved, f"something else than {leaves}", seconds)
        return found

    def jobs(self, browser: Browser) -> list[WritebackJob]:
        with self.acme.inside():
            rows = WritebackJob.objects.filter(origin=browser.flow, purpose="reset")
            return list(rows.select_related("agent").order_by("attempt"))

    def person(self, administrator: Administrator, *marks: Mark, **more: Any) -> Seed:
        """Somebody of the domain who is known to the product too, by the same name."""
        seed = administrator.add_person(*marks, **more)
        self.users[seed.name] = self.add_person(seed.name, administrator.anchor(seed))
        return seed

    def submitted(self, seed: Seed, password: str) -> Browser:
        """A browser of somebody who sent a new password."""
        browser = self.choosing(self.users[seed.name])
        browser.submit(password)
        return browser

    def again(self, browser: Browser, password: str) -> str:
        """One more try, of somebody who is asked for a password once more."""
        if browser.status().page.state == "choosing":
            browser.submit(password)
        return self.settled(browser)

    # --- Time that passes -------------------------------------------------------------------

    def let_pass(self, browser: Browser, seconds: float) -> None:
        """Makes the journey's jobs older, as if they had been made and taken earlier. A lease that
        is over by then ends now: whoever waits for a job waited before that, as in real time."""
        span, now = timedelta(seconds=seconds), timezone.now()
        with self.acme.inside():
            jobs = WritebackJob.objects.filter(origin=browser.flow)
            jobs.update(
                created_at=F("created_at") - span,
                taken_at=F("taken_at") - span,
                leased_until=F("leased_until") - span,
            )
            jobs.filter(leased_until__lt=now).update(leased_until=now)

    def look_at_unknown(self, seconds: float) -> None:
        """Makes the accounts due whose jobs nobody knows the end of, and no others; as if the last
        leases of the jobs had ended so much earlier."""
        with self.acme.inside():
            left = WritebackJob.objects.filter(state="done", outcome="unknown")
            left.update(leased_until=F("leased_until") - timedelta(seconds=seconds))
            now = timezone.now()
            DirectoryLink.objects.update(look_at=now + timedelta(days=1))
            DirectoryLink.objects.filter(anchor__in=left.values("anchor")).update(look_at=now)

    def sweep(self) -> None:
        """What the worker does every second."""
        sweep(timezone.now())

    # --- The connection ---------------------------------------------------------------------

    def state(self) -> str:
        with self.acme.inside():
            return standings(timezone.now())[0].state

    def wait_until_healthy(self) -> None:
        self.wait_for_state(HEALTHY)

    def wait_for_state(self, state: str) -> None:
        wait_until(lambda: self.state() == state, f"the directory to be {state}", 2 * READY_WITHIN)

    def wait_for_trouble(self, trouble: str) -> None:
        """Until an agent told of this trouble with the directory."""

        def told() -> bool:
            with self.acme.inside():
                return bool(Connector.objects.get(pk=self.connector.pk).trouble == trouble)

        wait_until(told, f"trouble with the directory: {trouble}", 2 * READY_WITHIN)

    def forget_agents_for(self, seconds: float) -> None:
        """As if nothing had been heard of them for so long."""
        with self.acme.inside():
            Agent.objects.update(seen_at=F("seen_at") - timedelta(seconds=seconds))

    def enrol(self, home: AgentHome) -> Agent:
        """Lets an agent in, as an administrator does who compares the words."""
        with self.acme.inside():
            code = enrolment.make_code(self.connector, ADMIN, timezone.now())
        home.words = enrol_with(code, home.command, home.config)
        with self.acme.inside():
            agent: Agent = Agent.objects.get(state=Agent.State.PENDING)
            return enrolment.confirm(agent.pk, ADMIN, timezone.now())

    def close(self) -> None:
        for home in self.homes:
            home.stop()


def enrol_with(code: str, command: Sequence[str], config: Path) -> str:
    """What the agent says once it has shown the code, its six words among it."""
    done = subprocess.run(
        [*command, "enrol", "--config", str(config)],
        input=f"{code}\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **bare_environment()},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def source_command() -> list[str]:
    """The agent from the sources, under the Python of the tests."""
    return [sys.executable, "-m", "writeback.agent"]


def write_config(
    folder: Path, product: str, settings: Mapping[str, Any], *, secret: str, **more: Any
) -> None:
    """`settings` of the directory; `more`: kind, places, canary, limits' further lines."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    secret_file = folder / "secret"
    secret_file.touch(mode=0o600)
    secret_file.write_text(secret, encoding="utf-8")
    places = ", ".join(f'"{place}"' for place in more["places"])
    lines = [
        f'product = "{product}"',
        "allow_loopback_http = true",
        f'state = "{state}"',
        f'name = "{folder.name}"',
        "[directory]",
        f'kind = "{more["kind"]}"',
        f'secret_file = "{secret_file}"',
        f'canary = "{more.get("canary", "")}"',
        "[directory.settings]",
        *(f"{name} = {_toml(value)}" for name, value in settings.items()),
        "[limits]",
        f"places = [{places}]",
        *more.get("limits", ["per_hour = 1000", "burst = 1000"]),
    ]
    (folder / "agent.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return f'"{value}"' if isinstance(value, str | Path) else str(value)


def cloud_address(proxy: TcpProxy) -> str:
    """Where the agent finds the product: through the proxy, by number, which is a shared host."""
    return f"http://127.0.0.1:{proxy.port}"
