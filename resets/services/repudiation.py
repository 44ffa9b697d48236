"""The "this was not me" link: freezes the account at once and tells the administrators."""

from datetime import datetime
from uuid import UUID

from accounts.contacts import administrators, notice_addresses, primary_addresses
from accounts.models import Session, User
from accounts.people import belongings_of
from notifications.services import Recipient, notify
from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.tokens import parse_token

from ..facts import Situation, read_situation
from ..models import Repudiation
from .common import Origin, lock_open_flows_of, step_in
from .finish import cancel_flows
from .notices import NOT_ME, language_for


def is_repudiable(token: str, *, now: datetime) -> bool:
    """Whether the link still works. Changes nothing."""
    found = parse_token(token, NOT_ME)
    if found is None:
        return False
    with tenant_context(found[0]):
        rows = Repudiation.objects.filter(token_hash=found[1], used_at=None, expires_at__gt=now)
        return bool(rows.exists())


def repudiate(token: str, *, origin: Origin, now: datetime) -> bool:
    """Freezes the account of the reset this link belongs to. False when the link is over."""
    found = parse_token(token, NOT_ME)
    if found is None:
        return False
    with step_in(found[0]) as changes:
        row = (
            Repudiation.objects.select_for_update()
            .filter(token_hash=found[1], used_at=None, expires_at__gt=now)
            .first()
        )
        if row is None:
            return False
        flows = lock_open_flows_of(row.user_id)
        user = User.objects.select_for_update(no_key=True).get(pk=row.user_id)
        Repudiation.objects.filter(user=user, used_at=None).update(used_at=now)
        user.frozen_at = now
        user.session_epoch += 1
        user.save(update_fields=["frozen_at", "session_epoch"])
        Session.objects.filter(user=user).delete()
        cancelled = cancel_flows(flows, user, now, changes)
        reference = row.flow.reference if row.flow is not None else ""
        _tell(user, read_situation(now), reference, row.flow_id, now)
        person = Party("user", user.pk, user.user_id)
        frozen = audit.Event(
            event_type="account.frozen",
            actor=person,
            target=person,
            data={"cause": "not_me"},
            correlation_id=row.flow_id,
            reference=reference,
            address=origin.address,
            now=now,
        )
        audit.record_many([frozen, *cancelled], into=changes)
        return True


def _tell(
    user: User, situation: Situation, reference: str, flow: UUID | None, now: datetime
) -> None:
    facts = {"name": user.display_name or user.user_id, "when": now.isoformat()}
    own = belongings_of(user)
    to = [
        Recipient(address, language_for(user, situation), user.display_name)
        for address in notice_addresses(user, own.contacts.values())
    ]
    to += [
        Recipient(address, language_for(other, situation), other.display_name)
        for other, address in primary_addresses(administrators(excluding=user)).items()
    ]
    for recipient in to:
        notify(
            "account_frozen",
            "email",
            recipient,
            facts,
            now=now,
            reference=reference,
            correlation_id=flow,
        )
