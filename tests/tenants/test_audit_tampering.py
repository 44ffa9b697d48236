"""What a hand in the database leaves at the edges of a chain, and in which order events come."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from tenants.audit_chain import GENESIS, canonical_json, seal_pending
from tenants.context import fetch_for_tenant, tenant_context
from tenants.models import AuditEvent, AuditHead, AuditPending, AuditSeal
from tenants.services import create_tenant
from tests.tenants.trail import NOW, sequences, tampering, verified, write_events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant() -> UUID:
    """A tenant with two events that wait for their seal."""
    made: UUID = create_tenant("contoso", "Contoso").id
    write_events(made, 2)
    return made


def test_an_event_that_is_put_in_before_the_first_number_is_named(tenant: UUID) -> None:
    seal_pending(NOW)
    write_events(tenant, 1)
    with tenant_context(tenant):
        event = AuditPending.objects.get().event_id
    assert verified(tenant).intact

    with tenant_context(tenant):
        AuditSeal.objects.create(event_id=event, sequence=0, hash=GENESIS)
        AuditPending.objects.all().delete()

    found = verified(tenant)
    assert (found.intact, found.first_bad, found.sealed) == (False, 0, 2)
    assert found.why == "a seal stands before the first one of the chain"


def test_a_wrong_end_of_a_chain_without_seals_is_told_with_the_first_number(tenant: UUID) -> None:
    with tenant_context(tenant):
        AuditHead.objects.create()
    assert verified(tenant).intact

    with tampering() as superuser:
        superuser.execute("UPDATE tenants_audithead SET hash = sha256('x')")

    found = verified(tenant)
    assert (found.intact, found.first_bad, found.sealed) == (False, 1, 0)


@pytest.mark.parametrize("backwards", [False, True])
def test_events_are_sealed_oldest_first_however_the_database_hands_them_over(
    tenant: UUID, monkeypatch: pytest.MonkeyPatch, *, backwards: bool
) -> None:
    write_events(tenant, 2)  # of the same moments as the first two

    def fetch(statement: str, values: Sequence[Any], columns: str) -> list[Any]:
        rows = fetch_for_tenant(statement, values, columns)
        return rows[::-1] if backwards else rows

    monkeypatch.setattr("tenants.audit_chain.fetch_for_tenant", fetch)
    assert seal_pending(NOW) == 4

    with tenant_context(tenant):
        written = AuditEvent.objects.order_by("created_at", "id").values_list("id", flat=True)
        sealed = AuditSeal.objects.order_by("sequence").values_list("event_id", flat=True)
        assert list(sealed) == list(written)
    assert (sequences(tenant), verified(tenant).intact) == ([1, 2, 3, 4], True)


def test_a_value_that_has_no_certain_form_is_not_sealed(tenant: UUID) -> None:
    event = {"data": {"step": 1}}
    assert canonical_json(tenant, 1, event)

    for value in (b"one", {1}, object()):
        with pytest.raises(TypeError):
            canonical_json(tenant, 1, {"data": {"step": value}})
