"""Workers that look for reminders, and that begin drills, at the same moment."""

import pytest

from notifications.models import Message
from tests.cast import Acme
from tests.concurrency.conftest import NOW, all_at_once
from tests.resets.visitor import Clock
from tests.writeback.conftest import connector, signer
from tests.writeback.ending import marks, november, seen, switch_on
from tests.writeback.field import make_agent
from writeback.models import Connector, Drill, WritebackJob
from writeback.services.drills import run_drills, set_canary
from writeback.services.looking import look_around
from writeback.services.reminders import remind

__all__ = ["connector", "signer"]
pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "0b0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b02"


def test_many_workers_remind_somebody_once(acme: Acme, connector: Connector) -> None:
    for person in (acme.alice, acme.bob, acme.eve):
        seen(acme, person, connector, november(21))
    switch_on(acme)

    answers = all_at_once([lambda: remind(NOW)] * 8)

    assert sum(answers) == 3
    assert len(marks(acme)) == 3
    with acme.inside():
        assert Message.objects.count() == 3


def test_many_workers_begin_one_drill_and_look_once(
    acme: Acme, connector: Connector, signer: None
) -> None:
    make_agent(acme, connector, Clock(NOW))
    seen(acme, acme.bob, connector, None)
    with acme.inside():
        set_canary(connector, CANARY)
        connector.save()

    drilled = all_at_once([lambda: run_drills(NOW)] * 8)
    looked = all_at_once([lambda: look_around(NOW)] * 8)

    assert (sum(drilled), sum(looked)) == (1, 1)
    with acme.inside():
        assert Drill.objects.count() == 1
        assert WritebackJob.objects.count() == 2
