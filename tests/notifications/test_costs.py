"""What the worker may ask of the database, however many messages it sends and events it seals."""

from datetime import datetime
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.models import Message
from notifications.services import CodeSource
from sspr_project.worker import ASKED, run_once
from tenants.context import tenant_context
from tenants.models import AuditPending, Tenant
from tests.costs import counted
from tests.notifications.conftest import contoso
from tests.notifications.post import queue_code, queue_notice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def warm(by_file: Path, now: datetime) -> Tenant:
    """A tenant whose key is known and whose chain has begun."""
    tenant = contoso()
    queue_notice(tenant, now)
    run_once(ASKED)
    run_once(ASKED)
    return tenant


@pytest.mark.parametrize("notices", [0, 2, 4])
def test_a_run_that_sends_and_seals_costs_five_statements_and_two_commits(
    warm: Tenant, now: datetime, source: CodeSource, notices: int
) -> None:
    queue_code(warm, now, source)
    for _ in range(notices):
        queue_notice(warm, now)

    with CaptureQueriesContext(connection) as captured:
        done = run_once(ASKED)

    assert done == 2 * (1 + notices)
    with tenant_context(warm.id):
        assert not Message.objects.exclude(state="sent").exists()
        assert not AuditPending.objects.exists()
    # Who waits; its messages, what became of them; its events, their seals.
    counts = counted(captured)
    assert (counts["statement"], counts["COMMIT"]) == (5, 2)


def test_a_run_with_nothing_to_do_costs_one_statement(warm: Tenant) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert run_once(ASKED) == 0

    assert counted(captured) == {"statement": 1}
