"""What the tests of drills do, and what is seen of one."""

from tenants.models import AuditEvent
from tests.cast import Acme, Organisation
from tests.resets.visitor import Clock
from tests.writeback.ending import wake
from tests.writeback.field import FieldAgent, Held, sign_what_waits
from writeback.models import Connector, Drill
from writeback.reports import Report
from writeback.services.drills import run_drills, set_canary

CANARY = "0b0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b02"
RIGHT = Report("succeeded", answer="right", controller="dc1", at=1)
KIND = "drill_failed"
UNREACHABLE = Report("failed", "unreachable", at=1)


def name_canary(acme: Organisation, connector: Connector, anchor: str) -> None:
    with acme.inside():
        set_canary(connector, anchor)
        connector.save()


def reread(acme: Acme, connector: Connector) -> Connector:
    with acme.inside():
        found: Connector = Connector.objects.get(pk=connector.pk)
        return found


def drills(acme: Acme) -> list[Drill]:
    with acme.inside():
        return list(Drill.objects.all())


def step(agent: FieldAgent, clock: Clock, report: Report) -> Held:
    """The signer signs, and the agent does the next job with this result."""
    sign_what_waits(clock.now)
    return agent.do(report)


def whole(agent: FieldAgent, clock: Clock, *reports: Report) -> None:
    """A drill from its start, with these results of its jobs."""
    assert run_drills(clock.now) == 1
    for report in reports:
        step(agent, clock, report)


def next_day(agent: FieldAgent, clock: Clock) -> None:
    clock.shift(hours=24)
    wake(agent)


def events(acme: Acme) -> list[tuple[str, str]]:
    with acme.inside():
        rows = AuditEvent.objects.filter(type="writeback.drilled").order_by("created_at")
        return [(row.result, row.data["outcome"]) for row in rows]
