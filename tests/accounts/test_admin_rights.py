"""Who may edit people on the administration site: what each role finds open, and what is denied."""

import pytest

from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.accounts.test_admin_editing import REASON, TABLE, page_of, person_of
from tests.tenants.admin.cast import House, contoso
from tests.tenants.admin.desk import colleague, trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> House:
    return contoso()


INTENTS = ("contacts/", "groups/", "roles/", "assign-licence/", "end-sessions/", "disable/")
OPEN = {
    "global_administrator": set(INTENTS),
    "user_administrator": set(INTENTS) - {"roles/"},
    "helpdesk_administrator": {"end-sessions/"},
    "license_administrator": {"assign-licence/"},
    "exchange_administrator": set(),
    "global_reader": set(),
}


@pytest.mark.parametrize("role", OPEN)
def test_each_role_finds_open_what_it_may_do_and_the_rest_is_denied(role: str, own: House) -> None:
    someone = colleague(own, role)

    found = {
        intent: someone.client.get(f"/admin/{page_of(own, more=intent)}").status_code
        for intent in INTENTS
    }

    assert {intent for intent, status in found.items() if status == 200} == OPEN[role]
    assert set(found.values()) <= {200, 403}
    offered = someone.read(page_of(own))
    assert {intent for intent in INTENTS if f"/{intent}" in offered} == OPEN[role]
    denied = [event.data["path"] for event in trail(own, "admin.denied")]
    assert len(denied) == len(INTENTS) - len(OPEN[role])


@pytest.mark.parametrize("role", ["user_administrator", "helpdesk_administrator"])
def test_people_with_a_role_are_out_of_reach_of_lesser_ones(role: str, own: House) -> None:
    someone = colleague(own, role)

    reached = [
        intent
        for intent in ("change/", *INTENTS)
        if someone.post(page_of(own, own.admin, intent), {"reason": REASON}).status_code != 403
    ]

    assert reached == []
    assert person_of(own, own.admin).is_active


def test_a_bulk_action_without_its_permission_is_denied(own: House) -> None:
    someone = colleague(own, "helpdesk_administrator")
    fields = {"action": "assign_licences", "_selected_action": [own.rows["accounts/user"]]}

    assert someone.post(f"{TABLE}/", fields).status_code == 403
    assert person_of(own).licence_id is None
    assert len(trail(own, "admin.denied")) == 1


def test_who_only_reads_enters_and_changes_nothing(own: House) -> None:
    auditor = colleague(own, "security_reader")
    with tenant_context(own.tenant):
        before = AuditEvent.objects.exclude(type__startswith="admin.").count()

    assert own.person in auditor.read(page_of(own))
    assert auditor.client.get(f"/admin/{TABLE}/add/").status_code == 403
    assert auditor.post(page_of(own), {"surname": "x"}).status_code == 403

    with tenant_context(own.tenant):
        assert AuditEvent.objects.exclude(type__startswith="admin.").count() == before
