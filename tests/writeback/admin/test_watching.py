"""Administrators hear once that a directory is away, and once that it is back."""

import pytest

from notifications.models import Message
from tenants.models import Tenant
from tests.cast import Acme, Beta
from tests.resets.visitor import Clock, take_messages
from tests.writeback.admin.desk import events
from tests.writeback.field import FieldAgent, make_agent, make_connector
from writeback.models import Connector
from writeback.services.watching import watch

pytestmark = pytest.mark.django_db


def told(acme: Acme) -> int:
    with acme.inside():
        return int(Message.objects.filter(kind="directory_state").count())


def row_of(acme: Acme) -> Connector:
    with acme.inside():
        row: Connector = Connector.objects.get()
        return row


def away(clock: Clock) -> None:
    """More than a minute after its last call, and then long enough."""
    for _ in range(2):
        clock.shift(seconds=76)
        watch(clock.now)


def test_the_administrators_are_told_once_and_once_more_when_it_is_back(
    acme: Acme, agent: FieldAgent, clock: Clock
) -> None:
    assert watch(clock.now) == 1
    assert watch(clock.now) == 0
    assert (told(acme), row_of(acme).seen_state) == (0, "healthy")

    clock.shift(seconds=76)
    assert watch(clock.now) == 1
    assert (told(acme), row_of(acme).seen_state) == (0, "disconnected")
    clock.shift(seconds=59)
    assert watch(clock.now) == 0
    clock.shift(seconds=1)
    assert watch(clock.now) == 1
    assert told(acme) == 1
    for _ in range(10):
        clock.shift(seconds=30)
        watch(clock.now)
    assert told(acme) == 1

    agent.beat()
    assert watch(clock.now) == 1
    assert told(acme) == 2
    for _ in range(3):
        assert watch(clock.now) == 0
    assert [event.data for event in events(acme, "writeback.state_changed")] == [
        {"connector": "Head office", "state": "disconnected", "before": "healthy"},
        {"connector": "Head office", "state": "healthy", "before": "disconnected"},
    ]
    away(clock)
    assert told(acme) == 3


def test_a_directory_that_never_worked_is_no_news(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    watch(clock.now)
    away(clock)
    assert told(acme) == 0
    assert row_of(acme).seen_state == "not_configured"


def test_one_that_comes_back_within_a_minute_is_no_news(
    acme: Acme, agent: FieldAgent, clock: Clock
) -> None:
    watch(clock.now)
    clock.shift(seconds=76)
    watch(clock.now)
    assert row_of(acme).bad_since == clock.now
    agent.beat()
    watch(clock.now)
    assert (row_of(acme).bad_since, told(acme)) == (None, 0)


@pytest.mark.parametrize("why", ["switched off", "suspended"])
def test_where_nobody_expects_it_to_work_nobody_is_told(
    acme: Acme, agent: FieldAgent, clock: Clock, why: str
) -> None:
    watch(clock.now)
    with acme.inside():
        if why == "suspended":
            Tenant.objects.update(active=False)
        else:
            Connector.objects.update(enabled=False)
    away(clock)
    assert watch(clock.now) == 0
    assert told(acme) == 0
    assert row_of(acme).seen_state == "disconnected"


def test_every_administrator_is_told_in_their_own_language_with_the_way_to_the_page(
    acme: Acme, agent: FieldAgent, clock: Clock, outbox_dir: object
) -> None:
    with acme.inside():
        acme.carol.language = "de"
        acme.carol.save(update_fields=["language"])
    watch(clock.now)
    away(clock)
    agent.beat(directory={"state": "misconfigured", "trouble": "account"})
    watch(clock.now)
    agent.beat()
    watch(clock.now)
    mails = take_messages(outbox_dir, clock.now)  # type: ignore[arg-type]  # a Path
    assert {mail["to"] for mail in mails} == {acme.carol.user_id}
    lost, back = sorted((mail["subject"], mail["text"]) for mail in mails)
    assert lost[0] == "Acme: Das Verzeichnis Head office ist nicht verbunden"
    assert "Seit mehr als einer Minute hat sich kein Agent gemeldet" in lost[1]
    assert f"/admin/writeback/connector/{row_of(acme).pk}/change/" in lost[1]
    assert back[0] == "Acme: Das Verzeichnis Head office ist wieder verbunden"
    assert "Bis dahin" not in back[1]


def test_each_organisation_hears_of_its_own_directories(
    acme: Acme, beta: Beta, agent: FieldAgent, clock: Clock
) -> None:
    theirs = make_agent(beta, make_connector(beta, "Theirs"), clock)
    assert watch(clock.now) == 2
    for _ in range(2):
        clock.shift(seconds=76)
        theirs.beat()
        watch(clock.now)
    assert told(acme) == 1
    with beta.inside():
        assert not Message.objects.filter(kind="directory_state").exists()


def test_a_row_that_somebody_else_is_at_waits_for_the_next_time(
    acme: Acme, agent: FieldAgent, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(clock.now)
    clock.shift(seconds=76)
    with monkeypatch.context() as locked:
        locked.setattr(
            "django.db.models.QuerySet.select_for_update",
            lambda self, **options: self.none(),
        )
        assert watch(clock.now) == 0
    assert watch(clock.now) == 1
