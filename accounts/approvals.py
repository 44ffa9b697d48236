"""Asking a colleague whether it is really this person, and taking their answer.

The link in the mail proves that the approver's mailbox was opened; the reference, which stands on
the person's page and in no mail, proves that the approver spoke to whoever is at that page. Both
together decide; one try is counted before it is compared, five are the end.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet

from notifications.services import Recipient, notify, notify_nobody
from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import FLOW_LIFETIME, LIMITS, TRIES_PER_CHALLENGE
from tenants.models import Tenant
from tenants.reference import find_reference
from tenants.together import Changes

from .contacts import find_value
from .methods.base import Asked, MethodContext
from .models import Approval, User
from .people import Belongings
from .telling import language_of

MAX_TOKEN = 100
Outcome = Literal["approved", "denied", "wrong", "over"]


@dataclass(frozen=True)
class Approver:
    """Who is asked, and where."""

    user: User
    mailbox: str


def find_approver(own: Belongings) -> Approver | None:
    """The person's manager; where that one can't be asked, whoever the tenant names. Nobody is
    asked about themselves."""
    named = own.settings.approver_id if own.settings is not None else None
    by_id = {user.pk: user for user in own.colleagues}
    for candidate in (own.user.manager_id, named):
        user = by_id.get(candidate) if candidate is not None else None
        if user is None or user.pk == own.user.pk or not user.usable:
            continue
        mailbox = _find_mailbox(own, user)
        if mailbox is not None:
            return Approver(user, mailbox)
    return None


def _find_mailbox(own: Belongings, user: User) -> str | None:
    row = own.mailboxes.get(user.pk)
    if row is not None:
        return find_value(row)
    # A member is written to under the user ID; that of a guest is no mailbox.
    return user.user_id if user.kind == User.Kind.MEMBER else None


def ask_approver(
    own: Belongings | None, asked: Asked, context: MethodContext, changes: Changes
) -> None:
    """Writes the question and one mail. For nobody it is the same, and nobody is written to."""
    if asked.challenge is None:
        raise ValueError("a question belongs to a challenge")
    approver = find_approver(own) if own is not None else None
    token = secrets.token_urlsafe(32)
    mailbox = approver.mailbox.casefold() if approver is not None else f"nobody {asked.challenge}"
    crowded = count_up([Count(LIMITS["mails_to_mailbox"], mailbox)], context.now).blocked
    real = own is not None and approver is not None
    row = Approval(
        user=own.user if own is not None and real else None,
        approver=approver.user if approver is not None else None,
        challenge=asked.challenge,
        token_hash=_hash_of(token),
        reference=asked.reference,
        address=asked.address,
        created_at=context.now,
        expires_at=asked.expires_at or context.now + FLOW_LIFETIME,
    )
    changes.add(row)
    if own is None or approver is None or crowded is not None:
        notify_nobody("approval_request", now=context.now, into=changes)
        return
    _write_to(approver, own.user, row, token, context, changes)


def _write_to(
    approver: Approver,
    user: User,
    row: Approval,
    token: str,
    context: MethodContext,
    changes: Changes,
) -> None:
    """The mail. Without the reference, which the approver has to hear from the person."""
    origin = context.site or settings.SSPR_BASE_URL
    facts = {
        "name": user.display_name or user.user_id,
        "user_id": user.user_id,
        "when": context.now.isoformat(),
        "until": row.expires_at.isoformat(),
        "approve_url": f"{origin}/approve/{user.tenant_id.hex}.{token}/",
    }
    to = Recipient(approver.mailbox, language_of(approver.user), approver.user.display_name)
    notify(
        "approval_request",
        "email",
        to,
        facts,
        now=context.now,
        lifetime=row.expires_at - context.now,
        into=changes,
    )


def find_answer(asked: Asked) -> Approval | None:
    """The question of a challenge."""
    row: Approval | None = Approval.objects.filter(challenge=asked.challenge).first()
    return row


@dataclass(frozen=True)
class Question:
    """What the approver is shown: who wants in, from where, since when, until when."""

    tenant: Tenant
    name: str
    user_id: str
    address: str
    asked_at: datetime
    ends_at: datetime


def find_question(token: str, *, now: datetime) -> Question | None:
    """What the link asks, while it waits for an answer. Changes nothing."""
    parsed = _parse(token)
    if parsed is None:
        return None
    with tenant_context(parsed[0]):
        row = _open_rows(parsed[1], now).select_related("user", "tenant").first()
        if row is None or row.user is None or not row.tenant.active:
            return None
        name = row.user.display_name or row.user.user_id
        return Question(
            row.tenant, name, row.user.user_id, row.address, row.created_at, row.expires_at
        )


def decide(
    token: str, reference: str, *, approve: bool, address: str, now: datetime
) -> tuple[Outcome, int]:
    """The approver's answer, and how many tries are left where the reference was wrong.

    Counted first, in a transaction of its own. A "no" needs no reference.
    """
    parsed = _parse(token)
    if parsed is None:
        return "over", 0
    tenant, token_hash = parsed
    with tenant_context(tenant):
        if not _open_rows(token_hash, now).update(tries=F("tries") + 1):
            return "over", 0
    with tenant_context(tenant):
        row = (
            Approval.objects.select_for_update(of=("self",))
            .select_related("user", "approver", "tenant")
            .filter(token_hash=token_hash, decision="")
            .first()
        )
        if row is None or row.user is None or row.approver is None or not row.tenant.active:
            return "over", 0
        if not row.approver.usable:
            return "over", 0
        same = hmac.compare_digest(
            (find_reference(reference) or "").encode(), row.reference.encode()
        )
        if approve and not same:
            left = max(0, TRIES_PER_CHALLENGE - row.tries)
            if left == 0:
                _settle(row, Approval.Decision.DENIED, "too_many_tries", address, now)
            return "wrong", left
        decision = Approval.Decision.APPROVED if approve else Approval.Decision.DENIED
        _settle(row, decision, "", address, now)
        return ("approved" if approve else "denied"), 0


def _settle(
    row: Approval, decision: Approval.Decision, cause: str, address: str, now: datetime
) -> None:
    row.decision, row.decided_at = decision.value, now
    row.save(update_fields=["decision", "decided_at"])
    person, approver = row.user, row.approver
    if person is None or approver is None:
        raise LookupError("nobody decides about nobody")
    audit.record(
        "approval.decided",
        actor=Party("user", approver.pk, approver.user_id),
        target=Party("user", person.pk, person.user_id),
        result="success" if decision == Approval.Decision.APPROVED else "denied",
        data={"decision": decision.value, "cause": cause},
        reference=row.reference,
        address=address,
        now=now,
    )


def _open_rows(token_hash: bytes, now: datetime) -> QuerySet[Approval]:
    return Approval.objects.filter(
        token_hash=token_hash, decision="", expires_at__gt=now, tries__lt=TRIES_PER_CHALLENGE
    )


def _parse(token: str) -> tuple[UUID, bytes] | None:
    head, dot, rest = token.partition(".")
    if not dot or len(token) > MAX_TOKEN:
        return None
    try:
        return UUID(hex=head), _hash_of(rest)
    except ValueError:
        return None


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(b"approval\x1f" + token.encode()).digest()
