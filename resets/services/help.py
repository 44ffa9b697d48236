""" "Contact your administrator": works for everybody, even where resets are switched off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.contacts import administrators, primary_addresses
from accounts.identifiers import canonical, find_domain
from accounts.models import User
from accounts.people import meaning, meant_rows
from accounts.person_key import person_key
from notifications.services import Recipient, notify, notify_nobody
from tenants import audit
from tenants.audit import Party
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.lookup import find_tenant
from tenants.models import Tenant
from tenants.reference import find_reference
from tenants.roles import CONTACT_TIERS, MAX_CONTACTED
from tenants.services import get_platform
from tenants.together import Changes, Reading

from ..facts import Situation, read_situation
from .common import Origin, step_in
from .notices import language_for

MAX_NOTE = 500
CUSTOM = "helpdesk"


@dataclass(frozen=True)
class HelpRequest:
    """What somebody asks: all of it typed by them, none of it proved."""

    user_id: str
    note: str
    reference: str = ""


_ASKING = Reading(lambda: (Tenant.objects.all(), meant_rows()))


def ask_for_help(
    request: HelpRequest, *, host_tenant: UUID | None, origin: Origin, now: datetime
) -> bool:
    """Passes a request to the help desk or the first tier of administrators that has anybody.

    The answer is the same for every user ID; false only when this browser asks too often.
    """
    wanted = canonical(request.user_id)[:320]
    domain = find_domain(wanted)
    tenant = host_tenant or (find_tenant(domain=domain) if domain else None) or get_platform()
    with step_in(tenant) as changes:
        tenants, people = _ASKING.rows(**meaning(wanted))
        situation = read_situation(now, tenants[0])
        counts = [
            situation.count("help_requests", person_key(wanted).hex()),
            Count(LIMITS["help_by_address"], origin.address or "none"),
        ]
        blocked = count_up(counts, now).blocked
        if blocked is not None and blocked.limit.name == "help_by_address":
            return False
        user = next(iter(people), None) if not situation.tenant.platform else None
        reference = find_reference(request.reference) or ""
        person = Party("user", user.pk, user.user_id) if user else Party("anonymous", None, "")
        if blocked is not None:
            event_type, data = "help.blocked", {}
            notify_nobody("help_request", now=now, into=changes)
        else:
            letter = _Letter(request.note, reference, now)
            tier, told = _tell(situation, user, letter, changes)
            event_type, data = "help.requested", {"tier": tier, "recipients": told}
        asked = audit.Event(
            event_type=event_type,
            actor=person,
            target=person if user else None,
            data=data,
            reference=reference,
            address=origin.address,
            now=now,
        )
        audit.record_many([asked], into=changes)
    return True


@dataclass(frozen=True)
class _Letter:
    """What is passed on, beside who asks."""

    note: str
    reference: str
    now: datetime


def _tell(
    situation: Situation, user: User | None, letter: _Letter, changes: Changes
) -> tuple[str, int]:
    """Who was told, and how many; for somebody unknown one message that goes nowhere."""
    tier, recipients = _recipients(situation) if user is not None else ("", [])
    if user is None or not recipients:
        notify_nobody("help_request", now=letter.now, into=changes)
        return tier, 0
    facts = {
        "name": user.display_name,
        "user_id": user.user_id,
        "note": letter.note[:MAX_NOTE],
        "when": letter.now.isoformat(),
    }
    for recipient in recipients:
        notify(
            "help_request",
            "email",
            recipient,
            facts,
            now=letter.now,
            reference=letter.reference,
            into=changes,
        )
    return tier, len(recipients)


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
