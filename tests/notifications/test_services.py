"""Queueing: one sealed row with the change, and decoys that look the same."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.models import Message
from notifications.sealing import opened
from notifications.services import (
    CodeSource,
    Recipient,
    get_recipient,
    notify,
    notify_each,
    notify_nobody,
)
from tenants.context import NoTenant, tenant_context
from tenants.keys import SealBroken
from tenants.models import Tenant
from tests.notifications.post import ALICE, code_of, queue_code, queue_notice, raw_bytes, reread


def test_a_queued_code_expires_after_five_minutes(
    tenant: Tenant, now: datetime, source: CodeSource
) -> None:
    correlation = uuid4()

    row = reread(queue_code(tenant, now, source, reference="K7M4-92QX", correlation_id=correlation))

    assert (row.state, row.attempts, row.due_at, row.created_at) == ("queued", 0, now, now)
    assert row.expires_at == now + timedelta(minutes=5)
    assert (row.reference, row.correlation_id) == ("K7M4-92QX", correlation)


def test_a_lifetime_can_be_given(tenant: Tenant, now: datetime, source: CodeSource) -> None:
    row = queue_code(tenant, now, source, lifetime=timedelta(minutes=2))

    assert row.expires_at == now + timedelta(minutes=2)


def test_neither_address_nor_name_nor_code_nor_facts_are_in_the_row(
    tenant: Tenant, now: datetime, source: CodeSource
) -> None:
    queue_code(tenant, now, source)
    queue_notice(tenant, now, "help_request", user_id="alice@contoso.example", note="my secret")

    raw = raw_bytes(tenant, "notifications_message")

    assert raw
    for hidden in (b"alice", b"Alice", b"my secret", code_of(tenant, source).encode()):
        assert hidden not in raw


def test_a_sealed_address_opens_in_its_own_place_only(
    tenant: Tenant, now: datetime, source: CodeSource
) -> None:
    first, second = queue_code(tenant, now, source), queue_code(tenant, now, source)

    with tenant_context(tenant.id):
        assert get_recipient(first).reveal() == ALICE.address
        second.recipient = first.recipient
        with pytest.raises(SealBroken):
            get_recipient(second)
        first.context = first.recipient
        with pytest.raises(SealBroken):
            opened(first, "context")


def test_another_tenant_opens_nothing(
    tenant: Tenant, other_tenant: Tenant, now: datetime, source: CodeSource
) -> None:
    row = queue_code(tenant, now, source)

    with tenant_context(other_tenant.id), pytest.raises(SealBroken):
        get_recipient(row)


def test_nothing_is_queued_without_a_tenant(now: datetime, db: None) -> None:
    with pytest.raises(NoTenant):
        notify("password_changed", "email", ALICE, {}, now=now)
    with pytest.raises(NoTenant):
        notify_nobody("password_changed", now=now)


def test_the_row_is_gone_with_the_change_it_tells_of(tenant: Tenant, now: datetime) -> None:
    def change() -> None:
        with tenant_context(tenant.id):
            notify("password_changed", "email", ALICE, {}, now=now)
            raise RuntimeError("the change failed")

    with pytest.raises(RuntimeError):
        change()

    with tenant_context(tenant.id):
        assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("kind", "channel", "facts", "says"),
    [
        ("nothing", "email", {}, "no message of kind"),
        ("password_changed", "sms", {}, "does not go by sms"),
        ("password_changed", "none", {}, "does not go by none"),
        ("password_changed", "email", {"password": "x"}, "does not say password"),
        ("password_changed", "email", {"user_id": "x"}, "does not say user_id"),
        ("password_changed", "email", {"when": "2026-11-20T13:55:00"}, "time zone"),
        ("password_changed", "email", {"when": "yesterday"}, "isoformat"),
        ("password_changed", "email", {"not_me_url": "javascript:alert(1)"}, "web address"),
        ("help_request", "email", {"note": "x" * 501}, "longer than 500"),
        ("code", "email", {}, "has a code"),
    ],
)
def test_a_message_of_the_wrong_shape_is_refused(
    tenant: Tenant, now: datetime, kind: str, channel: str, facts: dict[str, str], says: str
) -> None:
    with tenant_context(tenant.id), pytest.raises(ValueError, match=says):
        notify(kind, channel, ALICE, facts, now=now)


def test_a_notice_carries_no_code(tenant: Tenant, now: datetime, source: CodeSource) -> None:
    with tenant_context(tenant.id), pytest.raises(ValueError, match="has no code"):
        notify("password_changed", "email", ALICE, {}, now=now, code=source)


@pytest.mark.parametrize("of_each", [True, False])
def test_of_many_messages_all_have_one_correlation_or_each_its_own(
    tenant: Tenant, now: datetime, of_each: bool
) -> None:
    ids = [uuid4(), uuid4()]
    told = [(Recipient(f"{name}@contoso.example", "en"), {"user_id": name}) for name in "ab"]

    with tenant_context(tenant.id):
        sent = notify_each("help_request", told, now=now, correlation_id=ids if of_each else ids[0])
        found = {get_recipient(row).reveal(): row.correlation_id for row in Message.objects.all()}

    assert sent == 2
    assert found == {
        "a@contoso.example": ids[0],
        "b@contoso.example": ids[1] if of_each else ids[0],
    }


def test_a_decoy_costs_and_looks_like_the_real_row(
    tenant: Tenant, now: datetime, source: CodeSource
) -> None:
    with tenant_context(tenant.id):
        notify_nobody("code", now=now)  # warms the keys for both
        with CaptureQueriesContext(
            connection,
        ) as real_cost:
            real = notify("code", "email", ALICE, {}, now=now, code=source)
        with CaptureQueriesContext(connection) as decoy_cost:
            decoy = notify_nobody("code", now=now)

    assert len(real_cost) == len(decoy_cost) == 1
    assert decoy.channel == "none"
    for field in ("recipient", "context", "code_nonce"):
        assert len(getattr(decoy, field)) == len(getattr(real, field))
    assert (decoy.kind, decoy.expires_at, decoy.due_at) == (real.kind, real.expires_at, real.due_at)


def test_addresses_and_codes_do_not_show_in_repr(source: CodeSource) -> None:
    shown = repr(Recipient("alice@contoso.example", "en", "Alice")) + repr(source)

    assert "alice" not in shown.lower()
    assert "nnnn" not in shown
