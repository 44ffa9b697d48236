"""Two hundred resets while agents die and sleep and the network fails, by a seeded schedule.

A failure is repeated with its seed. 0 lost, 0 doubled, 0 false, 0 late.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from accounts.methods.base import Answer
from accounts.models import User
from resets import services
from resets.models import Flow
from tenants.secret import Secret
from tests.cast import app_code
from tests.lab.administrator import Administrator
from tests.lab.history import Operation, Told, faults
from tests.lab.hybrid import AgentHome, Hybrid
from tests.lab.hybrid_fixtures import MakeHome
from tests.lab.seeds import Seed
from tests.lab.tcp_proxy import DirectoryProxy, TcpProxy
from tests.resets.walks import set_policy
from tests.services.ports import NotReady, wait_until
from writeback.models import WritebackJob
from writeback.services.looking import look_around

NEW = "Quiet-Harbour 7 Lanterns"
FLOWS = 200
AT_ONCE = 6
SEEDS = [20261120]
PATIENCE = 4.0
PAUSE = 6.0
LOOKS_EVERY = 0.2
ENDS_WITHIN = 100.0
LOOKS_WITHIN = 15.0
AGENT_IS_BACK = 90.0
WRITING = ("writing",)
QUARTER = 16 * 60.0
FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


class Schedule:
    """Numbers that look like chance and are the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed, self._count = seed, 0

    def below(self, end: int) -> int:
        self._count += 1
        digest = sha256(f"{self._seed}:{self._count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % end


@dataclass(frozen=True)
class World:
    """What can be broken."""

    agents: Sequence[AgentHome]
    cloud: TcpProxy
    domain: DirectoryProxy
    ended: Callable[[], int]
    stop: threading.Event

    def break_things(self, schedule: Schedule) -> None:
        """One fault after the other until the resets are through; each is mended again."""
        breaks: Sequence[Callable[[AgentHome], None]] = (
            self._kill,
            self._sleep,
            self._cut_domain,
            self._hold_change,
            self._lose_change,
            self._refuse_domain,
            self._cut_cloud,
            self._stall_cloud,
        )
        try:
            while self._goes_on(1 + schedule.below(6)):
                breaks[schedule.below(len(breaks))](self.agents[schedule.below(len(self.agents))])
        finally:
            connection.close()

    def _goes_on(self, more: int) -> bool:
        """After so many more resets have ended, or a pause without any: a slow machine has no more
        faults to a reset than a fast one. Whether there are still some to come."""
        goal, left = self.ended() + more, PAUSE / LOOKS_EVERY
        while self.ended() < goal and left > 0 and not self.stop.wait(LOOKS_EVERY):
            left -= 1
        return not self.stop.is_set()

    def mend(self) -> None:
        self.domain.accept()
        self.domain.release()
        self.cloud.release()
        for agent in self.agents:
            if agent.process is None or not agent.process.is_running:
                agent.start()

    def _kill(self, agent: AgentHome) -> None:
        agent.kill()
        agent.start()

    def _sleep(self, agent: AgentHome) -> None:
        assert agent.process is not None
        agent.process.pause()
        self.stop.wait(1.5)
        agent.process.go_on()

    def _cut_domain(self, agent: AgentHome) -> None:
        self.domain.cut()

    def _hold_change(self, agent: AgentHome) -> None:
        self.domain.at_change = "hold"
        self.stop.wait(1.0)
        self.domain.cut()
        self.domain.release()

    def _lose_change(self, agent: AgentHome) -> None:
        self.domain.at_change = "lose"

    def _refuse_domain(self, agent: AgentHome) -> None:
        self.domain.refuse()
        self.stop.wait(1.0)
        self.domain.accept()

    def _cut_cloud(self, agent: AgentHome) -> None:
        self.cloud.cut()

    def _stall_cloud(self, agent: AgentHome) -> None:
        self.cloud.stall_answers()
        self.stop.wait(1.0)
        self.cloud.cut()
        self.cloud.release()


@dataclass
class Reset:
    """One reset, from its start to what was told in the end."""

    seed: Seed
    user: User
    flow: Flow | None = None

    def submit(self, hybrid: Hybrid) -> None:
        """Proves the app, sends a new password, through the services the pages call, and waits for
        a while."""
        try:
            now = timezone.now()
            origin = services.Origin(hybrid.lab.address(), "en")
            started = services.start(
                self.user.user_id,
                host_tenant=hybrid.acme.id,
                organisation="",
                origin=origin,
                now=now,
            )
            assert started.handle is not None
            services.choose(started.handle, "app_code", contact="", channel="", now=now)
            right = Answer(Secret(app_code(self.user, now)), [], Secret(""))
            passed = services.verify(started.handle, right, now=now)
            if passed.handle is None:
                # The directory was known to be away, so nothing was begun.
                return
            services.submit(passed.handle, Secret(NEW), now=timezone.now())
            with hybrid.acme.inside():
                self.flow = Flow.objects.get(pk=started.handle.flow)
            with suppress(NotReady):
                wait_until(lambda: self.told(hybrid) != "unknown", "an end", PATIENCE)
        finally:
            connection.close()

    def told(self, hybrid: Hybrid) -> Told:
        """A journey that was refused before anything was sent changed nothing."""
        if self.flow is None:
            return "no"
        with hybrid.acme.inside():
            self.flow.refresh_from_db()
        ends: dict[str, Told] = dict.fromkeys(("choosing", "failed", "refused"), "no")
        return {**ends, "done": "ok"}.get(self.flow.state, "unknown")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_two_hundred_resets_among_faults(
    hybrid: Hybrid,
    make_home: MakeHome,
    administrator: Administrator,
    cloud: TcpProxy,
    domain: DirectoryProxy,
    seed: int,
) -> None:
    set_policy(hybrid.acme, methods_required=1, limits={})
    agents = [make_home(), make_home()]
    people = [hybrid.person(administrator) for _ in range(FLOWS)]
    resets = [Reset(person, hybrid.users[person.name]) for person in people]
    before = {person.name: administrator.version(person) for person in people}
    world = World(agents, cloud, domain, lambda: _ends(hybrid), threading.Event())
    breaker = threading.Thread(target=world.break_things, args=(Schedule(seed),))
    sweeper = threading.Thread(target=_sweep_until, args=(hybrid, world.stop))
    breaker.start()
    sweeper.start()
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda reset: reset.submit(hybrid), resets))
        world.stop.set()
        breaker.join()
        world.mend()
        with suppress(NotReady):
            wait_until(lambda: _none_is(WRITING, hybrid, resets), "every reset's end", ENDS_WITHIN)
        # What no agent knows any more is told by the accounts: at once if it was done, and if not
        # once every controller would know.
        # Nobody looks before an agent is back, which takes a while after the last fault; and a look
        # may come to nothing, or have begun before the time that was let pass.
        for wait, within in ((0.0, LOOKS_WITHIN), (QUARTER, AGENT_IS_BACK), (0.0, AGENT_IS_BACK)):
            hybrid.look_at_unknown(wait)
            with suppress(NotReady):
                wait_until(lambda: _looked(hybrid, resets), "the accounts to tell", within)
    finally:
        world.stop.set()
        breaker.join()
        sweeper.join()
    history = [_operation(hybrid, administrator, reset, before) for reset in resets]
    found = faults(history)
    names = {name for group in found.values() for name in group}
    about = [_told_of(hybrid, reset) for reset in resets if reset.seed.name in names]
    nothing: dict[str, list[str]] = {"lost": [], "doubled": [], "false": [], "late": []}
    assert found == nothing, "\n".join([f"seed {seed}", *about])
    assert sum(each.told == "ok" for each in history) > FLOWS // 4
    assert sum(each.told == "no" for each in history) > 0


def _ends(hybrid: Hybrid) -> int:
    with hybrid.acme.inside():
        return WritebackJob.objects.filter(purpose="reset", state="done").count()


def _sweep_until(hybrid: Hybrid, stop: threading.Event) -> None:
    """The worker, for as long as there is something to sweep."""
    try:
        while not stop.wait(0.5):
            hybrid.sweep()
    finally:
        close_old_connections()
        connection.close()


def _none_is(states: Sequence[str], hybrid: Hybrid, resets: Sequence[Reset]) -> bool:
    hybrid.sweep()
    flows = [reset.flow.pk for reset in resets if reset.flow is not None]
    with hybrid.acme.inside():
        return not Flow.objects.filter(pk__in=flows, state__in=states).exists()


def _looked(hybrid: Hybrid, resets: Sequence[Reset]) -> bool:
    look_around(timezone.now())
    return _none_is([*WRITING, "unknown"], hybrid, resets)


def _told_of(hybrid: Hybrid, reset: Reset) -> str:
    """What is known of one reset and of the looks at its account, for the message of a failure."""
    jobs = WritebackJob.objects.filter(user=reset.user)
    with hybrid.acme.inside():
        lines = [
            f"{job.created_at:%H:%M:%S} {job.purpose} {job.attempt}: {job.state} {job.outcome}"
            f" {job.cause}, fence {job.fence} of {job.agent.name if job.agent else 'nobody'}"
            for job in jobs.select_related("agent").order_by("created_at")
        ]
    state = reset.flow.state if reset.flow is not None else "no journey"
    return f"{reset.seed.name} was told {reset.told(hybrid)} at {state}: {'; '.join(lines)}"


def _operation(
    hybrid: Hybrid, administrator: Administrator, reset: Reset, before: dict[str, int]
) -> Operation:
    seed = reset.seed
    expires, still_open = timezone.now(), 0
    if reset.flow is not None:
        with hybrid.acme.inside():
            jobs = list(WritebackJob.objects.filter(origin=reset.flow.pk, purpose="reset"))
        expires = max((job.expires_at for job in jobs), default=expires)
        still_open = sum(job.state != "done" or job.outcome == "unknown" for job in jobs)
    ticks = administrator.last_set(seed)
    return Operation(
        name=seed.name,
        told=reset.told(hybrid),
        changes=administrator.version(seed) - before[seed.name],
        opens_new=administrator.sign_in(seed.login, NEW) == "ok",
        opens_old=administrator.sign_in(seed.login, seed.password) == "ok",
        changed_at=FILETIME_EPOCH + timedelta(microseconds=ticks // 10),
        expires=expires,
        jobs_open=still_open,
    )
