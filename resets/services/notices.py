"""Who is told after a reset, and what: the person, the other administrators, the unregistered."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from accounts.contacts import administrators, notice_addresses, primary_addresses
from accounts.models import User
from accounts.people import Belongings
from accounts.telling import language_of
from notifications.services import Recipient, notify, notify_nobody
from tenants.roles import GLOBAL_ADMINISTRATOR, holds_administrator_role
from tenants.together import Changes
from tenants.tokens import new_token

from ..eligibility import NOT_ENOUGH_METHODS, Decision
from ..facts import Situation
from ..models import Flow, Repudiation

REPUDIATION_LIFETIME = timedelta(hours=72)
NOT_ME = "not me"
CHANGED, IN_DOUBT = "password_changed", "password_in_doubt"


def language_for(user: User, situation: Situation) -> str:
    """The recipient's own language, else the tenant's first one."""
    return language_of(user, situation.tenant)


def hint_unregistered(
    situation: Situation,
    own: Belongings | None,
    decision: Decision,
    flow: Flow,
    now: datetime,
    changes: Changes,
    *,
    hinted: bool,
) -> None:
    """Concealed mode: somebody who has registered too little learns it by mail, once a day.

    Everybody else gets the same row, which goes nowhere. hinted: the mail of today went out.
    """
    addresses = notice_addresses(own.user, own.contacts.values()) if own is not None else []
    if own is not None and decision.reason == NOT_ENOUGH_METHODS and not hinted and addresses:
        notify(
            "unregistered_hint",
            "email",
            Recipient(addresses[0], language_for(own.user, situation), own.user.display_name),
            {"name": own.user.display_name, "register_url": register_url()},
            now=now,
            reference=flow.reference,
            correlation_id=flow.pk,
            into=changes,
        )
        return
    notify_nobody("unregistered_hint", now=now, correlation_id=flow.pk, into=changes)


def register_url() -> str:
    """Where somebody who still knows the password registers."""
    return f"{settings.SSPR_BASE_URL}{reverse('security-info:register')}"


def tell_person(
    situation: Situation, own: Belongings, flow: Flow, now: datetime, changes: Changes
) -> None:
    """ "Your password was changed" to primary and alternate address, with "this was not me"."""
    _tell(CHANGED, situation, own, flow, now, changes)


def tell_of_doubt(
    situation: Situation, own: Belongings, flow: Flow | None, now: datetime, changes: Changes
) -> None:
    """The same while nobody knows whether it was changed: the directory's answer was lost."""
    _tell(IN_DOUBT, situation, own, flow, now, changes)


def tell_of_change(situation: Situation, own: Belongings, now: datetime, changes: Changes) -> None:
    """The same for a password that its owner knew and changed."""
    _tell(CHANGED, situation, own, None, now, changes)


def _tell(
    kind: str,
    situation: Situation,
    own: Belongings,
    flow: Flow | None,
    now: datetime,
    changes: Changes,
) -> None:
    if not situation.rules.notify_user:
        return
    user = own.user
    link = not_me_link(flow, user, now, changes)
    for address in notice_addresses(user, own.contacts.values()):
        notify(
            kind,
            "email",
            Recipient(address, language_for(user, situation), user.display_name),
            {"name": user.display_name, "when": now.isoformat(), "not_me_url": link},
            now=now,
            reference=flow.reference if flow is not None else "",
            correlation_id=flow.pk if flow is not None else None,
            into=changes,
        )


def not_me_link(flow: Flow | None, user: User, now: datetime, changes: Changes) -> str:
    """A link that freezes the account. The row keeps only the hash of its token."""
    token = new_token(user.tenant_id, NOT_ME)
    changes.add(
        Repudiation(
            user=user,
            flow=flow,
            token_hash=token.hash,
            expires_at=now + REPUDIATION_LIFETIME,
        )
    )
    return f"{settings.SSPR_BASE_URL}/not-me/{token.text}/"


def tell_administrators(
    situation: Situation, user: User, flow: Flow, now: datetime, changes: Changes
) -> None:
    """An administrator reset a password: the other administrators hear of it, never the actor."""
    whom = situation.rules.notify_admins
    if whom == "none" or not holds_administrator_role(user.roles):
        return
    others = [
        other
        for other in administrators(excluding=user)
        if whom == "all" or GLOBAL_ADMINISTRATOR in other.roles
    ]
    for other, address in primary_addresses(others).items():
        notify(
            "administrator_reset",
            "email",
            Recipient(address, language_for(other, situation), other.display_name),
            {"name": user.display_name, "user_id": user.user_id, "when": now.isoformat()},
            now=now,
            reference=flow.reference,
            correlation_id=flow.pk,
            into=changes,
        )
