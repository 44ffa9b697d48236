"""What the product began itself in a directory, kept in the database."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.cast import Acme
from writeback.direct import memory as memory_module
from writeback.direct.memory import DatabaseMemory
from writeback.models import Connector
from writeback.workplace import NotDone, Unwritable

pytestmark = pytest.mark.django_db(transaction=True)


def made(acme: Acme, connector: Connector) -> DatabaseMemory:
    return DatabaseMemory(acme.id, connector.pk, timezone.now)


def test_a_job_is_begun_once_and_its_first_result_stays(acme: Acme, connector: Connector) -> None:
    memory, job, at = made(acme, connector), uuid4(), int(timezone.now().timestamp())
    assert memory.find_intent(job) is None
    assert memory.find_result(job) is None
    assert memory.intend(job, 7, at, {"fence": 1})
    assert not memory.intend(job, 7, at, {"fence": 2})
    assert memory.find_intent(job) == {"fence": 1}
    assert memory.times() == [at]
    memory.settle(job, at, {"report": 1})
    memory.settle(job, at, {"report": 2})
    assert memory.find_result(job) == {"report": 1}
    memory.forget(at)
    assert memory.find_result(job) is not None
    memory.forget(at + 1)
    assert memory.find_intent(job) is None


def test_without_a_database_nothing_may_be_done(
    acme: Acme, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = made(acme, connector)
    monkeypatch.setattr(memory_module, "tenant_context", _raise)
    for act in (memory.times, memory.unsettled, lambda: memory.intend(uuid4(), 1, 1, {})):
        with pytest.raises(Unwritable):
            act()
    with pytest.raises(NotDone), memory.counting():
        pass


def test_nothing_is_begun_in_a_directory_that_was_stopped(acme: Acme, connector: Connector) -> None:
    with pytest.raises(NotDone), made(acme, connector).counting():
        pass


def _raise(tenant: UUID) -> Any:
    raise OperationalError("away")
