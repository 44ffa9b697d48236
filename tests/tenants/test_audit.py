"""An event is recorded with the change it tells about, and never changed again."""

from uuid import uuid4

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tenants.audit import Event, Party, record, record_many
from tenants.audit_chain import seal_pending
from tenants.audit_types import KeyNotAllowed
from tenants.context import NoTenant, tenant_context
from tenants.models import AuditEvent, AuditPending, AuditSeal, Tenant
from tenants.services import create_tenant
from tests.services.session import database, shared_cluster
from tests.tenants.trail import ALICE, NOW, write_events


@pytest.fixture
def tenant(db: None) -> Tenant:
    return create_tenant("contoso", "Contoso")


def test_an_event_is_kept_with_all_it_was_told(tenant: Tenant) -> None:
    journey, system = uuid4(), Party("system", None, "sealer\n")
    with tenant_context(tenant.id):
        record(
            "flow.verification_sent",
            actor=system,
            target=ALICE,
            result="failure",
            data={"method": "mobile_phone", "channel": "sms", "sends": 2},
            correlation_id=journey,
            reference="K7M4-92QX",
            address="2001:db8::7",
            now=NOW,
        )
        row = AuditEvent.objects.get()

    assert (row.type, row.result, row.created_at) == ("flow.verification_sent", "failure", NOW)
    assert row.activity == "Self-service password reset flow activity progress"
    assert row.reason == (
        "user was sent a code for the mobile phone text message verification option"
    )
    assert (row.actor_kind, row.actor_id, row.actor_label) == ("system", None, "sealer\\u000a")
    assert (row.target_kind, row.target_id) == ("user", ALICE.id)
    assert (row.correlation_id, row.reference) == (journey, "K7M4-92QX")
    assert row.address == "2001:db8::7"
    assert row.data == {"method": "mobile_phone", "channel": "sms", "sends": 2}


def test_an_event_goes_with_the_transaction_that_is_rolled_back(tenant: Tenant) -> None:
    with tenant_context(tenant.id):
        record("flow.cancelled", actor=ALICE, now=NOW)
        with transaction.atomic():
            record("flow.expired", actor=ALICE, now=NOW)
            assert AuditEvent.objects.count() == 2
            transaction.set_rollback(True)

        assert [row.type for row in AuditEvent.objects.all()] == ["flow.cancelled"]
        assert AuditPending.objects.count() == 1


def test_without_a_tenant_in_force_nothing_is_recorded(tenant: Tenant) -> None:
    with pytest.raises(NoTenant):
        record("flow.cancelled", actor=ALICE, now=NOW)
    with pytest.raises(NoTenant):
        record_many([])


def test_a_refused_event_leaves_nothing_of_its_batch(tenant: Tenant) -> None:
    good = Event(event_type="flow.cancelled", actor=ALICE, now=NOW)
    bad = Event(event_type="flow.cancelled", actor=ALICE, data={"password": "x"}, now=NOW)
    with tenant_context(tenant.id):
        with pytest.raises(KeyNotAllowed):
            record_many([good, bad])
        assert AuditEvent.objects.count() == 0
        record_many([good, good])
        assert AuditEvent.objects.count() == 2


def test_a_reference_that_is_too_long_is_refused_before_the_database(tenant: Tenant) -> None:
    with tenant_context(tenant.id):
        with pytest.raises(ValueError, match="nine"):
            record("flow.cancelled", actor=ALICE, reference="K7M4-92QX1", now=NOW)
        record("flow.cancelled", actor=ALICE, reference="K7M4-92QX", now=NOW)


def test_many_events_take_one_statement(tenant: Tenant) -> None:
    events = [Event(event_type="flow.expired", actor=ALICE, now=NOW)] * 50
    with tenant_context(tenant.id), CaptureQueriesContext(connection) as queries:
        record_many(events)

    assert len([query for query in queries if "INSERT" in query["sql"]]) == 1
    with tenant_context(tenant.id):
        assert AuditPending.objects.count() == 50


def test_labels_that_are_too_long_are_cut(tenant: Tenant) -> None:
    with tenant_context(tenant.id):
        record(
            "flow.cancelled",
            actor=Party("anonymous", None, "x" * 300),
            reason="y" * 300,
            address="z" * 300,
            now=NOW,
        )
        row = AuditEvent.objects.get()

    assert (row.actor_label, row.reason, row.address) == ("x" * 120, "y" * 120, "z" * 45)


@pytest.mark.parametrize("table", ["tenants_auditevent", "tenants_auditseal"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_the_runtime_role_may_only_add_and_read(tenant: Tenant, table: str, statement: str) -> None:
    write_events(tenant.id, 1)
    seal_pending(NOW)
    with tenant_context(tenant.id), connection.cursor() as cursor:
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            cursor.execute(statement.format(table))
        assert AuditEvent.objects.count() == AuditSeal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["tenants_auditevent", "tenants_auditseal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}"])
def test_even_a_superuser_is_stopped_by_the_trigger(table: str, statement: str) -> None:
    tenant = create_tenant("contoso", "Contoso")
    write_events(tenant.id, 1)
    seal_pending(NOW)
    with (
        shared_cluster().connect(database()) as superuser,
        pytest.raises(psycopg.errors.RaiseException, match="never changed"),
    ):
        superuser.execute(statement.format(table).encode())
