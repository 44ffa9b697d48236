""" "Contact your administrator": works for everybody, even where resets are switched off."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts.contacts import administrators, primary_addresses
from accounts.identifiers import canonical, find_domain
from accounts.people import find_user
from notifications.services import Recipient, notify, notify_nobody
from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.lookup import find_tenant
from tenants.reference import find_reference
from tenants.roles import CONTACT_TIERS, MAX_CONTACTED
from tenants.services import get_platform

from ..facts import Situation, person_key, read_situation
from .common import Origin
from .notices import language_for

MAX_NOTE = 500
CUSTOM = "helpdesk"


def ask_for_help(
    user_id: str,
    note: str,
    *,
    reference: str,
    host_tenant: UUID | None,
    origin: Origin,
    now: datetime,
) -> bool:
    """Passes a request to the help desk or the first tier of administrators that has anybody.

    The answer is the same for every user ID; false only when this browser asks too often.
    """
    wanted = canonical(user_id)[:320]
    domain = find_domain(wanted)
    tenant = host_tenant or (find_tenant(domain=domain) if domain else None) or get_platform()
    with tenant_context(tenant):
        situation = read_situation(now)
        counted = count_up(
            [
                situation.count("help_requests", person_key(wanted).hex()),
                Count(LIMITS["help_by_address"], origin.address or "none"),
            ],
            now,
        )
        blocked = counted.blocked
        if blocked is not None and blocked.limit.name == "help_by_address":
            return False
        user = find_user(wanted) if not situation.tenant.platform else None
        tier, recipients = ("", []) if user is None else _recipients(situation)
        known = find_reference(reference) or ""
        if user is None or blocked is not None or not recipients:
            notify_nobody("help_request", now=now)
        else:
            for recipient in recipients:
                facts = {
                    "name": user.display_name,
                    "user_id": user.user_id,
                    "note": note[:MAX_NOTE],
                    "when": now.isoformat(),
                }
                notify("help_request", "email", recipient, facts, now=now, reference=known)
        person = Party("user", user.pk, user.user_id) if user else Party("anonymous", None, "")
        audit.record(
            "help.requested" if blocked is None else "help.blocked",
            actor=person,
            target=person if user else None,
            data={"tier": tier, "recipients": len(recipients)} if blocked is None else {},
            reference=known,
            address=origin.address,
            now=now,
        )
    return True


def _recipients(situation: Situation) -> tuple[str, Sequence[Recipient]]:
    """The tenant's own help desk, else password, user, then global administrators (at most 100)."""
    tenant = situation.tenant
    if tenant.helpdesk_email:
        language = next(iter(tenant.languages), "en")
        return CUSTOM, [Recipient(tenant.helpdesk_email, language)]
    if tenant.helpdesk_url:
        return CUSTOM, []
    people = administrators()
    for role in CONTACT_TIERS:
        holders = [user for user in people if role in user.roles][:MAX_CONTACTED]
        if holders:
            return role, [
                Recipient(address, language_for(user, situation), user.display_name)
                for user, address in primary_addresses(holders).items()
            ]
    return "", []
