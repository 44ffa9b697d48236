"""A worker that rests is woken by a message, whoever queues it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from notifications.models import Message
from sspr_project import worker
from sspr_project.worker import Stop, run_until
from tenants.context import tenant_context
from tenants.keys import forget_keys
from tests.notifications.conftest import contoso
from tests.notifications.post import queue_notice, reread

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 3600.0


class Resting(Stop):
    """Says when it rests."""

    def __init__(self) -> None:
        super().__init__()
        self.rests = threading.Semaphore(0)

    def wait(self, seconds: float) -> bool:
        if seconds:
            self.rests.release()
        return super().wait(seconds)


@contextmanager
def working() -> Iterator[Resting]:
    """A worker in a thread of its own, which looked once and rests now."""
    stop = Resting()

    def work() -> None:
        try:
            run_until(stop)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert stop.rests.acquire(timeout=30)
        yield stop
    finally:
        stop.ask()
        thread.join(30)
    assert not thread.is_alive()


def test_a_queued_message_ends_the_rest_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", LONG)
    forget_keys()
    with working() as stop:
        message = queue_notice(contoso(), timezone.now())
        while reread(message).state == "queued":
            assert stop.rests.acquire(timeout=30), "it went on resting"

    assert reread(message).state == "sent"


@pytest.mark.parametrize("payload", ["messages", "messages nobody", "messages a b"])
def test_a_bell_that_names_no_tenant_makes_a_worker_look_for_all(
    monkeypatch: pytest.MonkeyPatch, payload: str
) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", LONG)
    forget_keys()
    tenant, now = contoso(), timezone.now()
    with working() as stop:
        with tenant_context(tenant.id):
            message = queue_notice(tenant, now)
            Message.objects.update(due_at=now + timedelta(hours=1))
        assert stop.rests.acquire(timeout=30)
        with tenant_context(tenant.id):
            Message.objects.update(due_at=now)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('sspr', %s)", [payload])
        while reread(message).state == "queued":
            assert stop.rests.acquire(timeout=30), "it went on resting"


def test_a_worker_that_rests_ends_at_once_when_it_is_asked_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", LONG)
    with working():
        pass
