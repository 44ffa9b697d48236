"""An operator who signs in, and what stands in the trails afterwards."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.operators import create_operator
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tenants.secret import Secret
from tests.services.signed_in import prove_client

OPERATOR = "olga@ops.example"
OPERATOR_PASSWORD = "Copper Lantern 81 Tides"
REASON = "Ticket 4711: the plan is wrong"


def make_operator() -> None:
    create_operator(OPERATOR, Secret(OPERATOR_PASSWORD), now=timezone.now())


def try_operator(
    client: Client, user_id: str = OPERATOR, password: str = OPERATOR_PASSWORD
) -> HttpResponse:
    answer: Any = client.post("/operator/login/", {"user_id": user_id, "password": password})
    found: HttpResponse = answer
    return found


def operator_client() -> Client:
    """A browser in which the operator is signed in, on the shared host."""
    client = Client(headers={"host": "localhost"})
    answer = try_operator(client)
    assert answer.status_code == 302, answer.content.decode()
    prove_client(client)
    return client


def opened(tenant: UUID, client: Client | None = None) -> Client:
    """The same, with a reason given for this organisation."""
    browser = client if client is not None else operator_client()
    answer = browser.post(f"/operator/tenants/{tenant}/open/", {"reason": REASON})
    assert answer.status_code == 302, answer.content.decode()
    return browser


def events_in(tenant: UUID, prefix: str = "") -> list[AuditEvent]:
    """The trail of this tenant, oldest first, of types that begin so."""
    with tenant_context(tenant):
        rows = AuditEvent.objects.filter(type__startswith=prefix).order_by("created_at", "id")
        return list(rows)


def types_in(tenant: UUID, prefix: str = "") -> list[str]:
    return [event.type for event in events_in(tenant, prefix)]
