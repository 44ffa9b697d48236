"""A reset that an administrator starts: the password is drawn here, chosen by nobody, and shown
once to the session that asked, when a directory has it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.crypto import constant_time_compare

from accounts.models import User
from accounts.services import NOT_YOURSELF, party_of
from tenants import audit
from tenants.admin.permissions import Permission, may_touch
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.invalid import refusal
from tenants.keys import SealBroken, binding, tenant_keys
from tenants.licensing import entitlements
from tenants.lookup import tenants_with_connectors
from tenants.rules import rules_of
from tenants.scoping import claim_for_current_tenant
from tenants.secret import Secret
from tenants.together import Changes

from ..health import ANSWERING
from ..jobs import Told
from ..models import DirectoryLink, DirectoryOrder, WritebackJob
from ..protocol import Passwords
from ..state_words import STATES
from ..temporary import temporary_password
from .orders import Order, is_link_of, links_of, place
from .signing import register_grounds
from .states import rules_for, state_for

KEPT = timedelta(minutes=10)
ENDS_WITHIN = timedelta(seconds=75)
"""By then every job has an outcome, and be it that nobody knows."""
CHANGED: frozenset[str] = frozenset({"done", "partly"})
NOT_USABLE = "This person is disabled or stopped: let them in again first."
NO_ACCOUNT = "No directory account of this person is known."
WRITEBACK_OFF = (
    "Passwords are not written to directories here: it is switched off in the policy, or not in "
    "the plan."
)
UNDER_WAY = "A reset was ordered for this person just now. Wait for its outcome."


@dataclass(frozen=True)
class Asked:
    """Who wants it and why. session: the hash of the key of the session that will be shown the
    password."""

    administrator: UUID
    user_id: str
    session: bytes
    reason: str

    @property
    def by(self) -> Party:
        return Party("administrator", self.administrator, self.user_id)


def order_reset(user: User, asked: Asked, now: datetime) -> DirectoryOrder:
    """Asks every directory of the person for a temporary password that has to be changed at the
    next sign-in. Raises Invalid; nothing was asked then.

    Whether the administrator may do this to this person is asked before, and once more by the
    signer.
    """
    if asked.administrator == user.pk:
        raise refusal("", "self", NOT_YOURSELF)
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    links = links_of(person)
    _refuse(person, links, now)
    order = DirectoryOrder(
        administrator_id=asked.administrator,
        user=person,
        session=asked.session,
        created_at=now,
        expires_at=now + KEPT,
    )
    claim_for_current_tenant(order)
    shortest = max((rules.min_length or 0 for rules in rules_for(person)), default=0)
    password = Secret(temporary_password(secrets.choice, shortest))
    order.sealed = tenant_keys().seal(password.reveal(), _bound(order))
    changes = Changes()
    changes.add(order)
    for link in links:
        place(_ordered(order, link, password), [link], now, changes)
    changes.write()
    audit.record(
        "writeback.ordered",
        actor=asked.by,
        target=party_of(person),
        reason=asked.reason,
        data={"operation": "reset_and_unlock", "connectors": len(links)},
        correlation_id=order.pk,
        now=now,
    )
    return order


def _refuse(person: User, links: Sequence[DirectoryLink], now: datetime) -> None:
    """Raises Invalid where it can't go well: before anything is drawn, sealed or sent."""
    if not person.usable:
        raise refusal("", "not_usable", NOT_USABLE)
    if not links:
        raise refusal("", "no_account", NO_ACCOUNT)
    if not _is_switched_on():
        raise refusal("", "writeback_off", WRITEBACK_OFF)
    state = state_for(person, now)
    if state not in ANSWERING:
        raise refusal("", state, STATES[state].means)
    if is_under_way(person, now):
        raise refusal("", "under_way", UNDER_WAY)


def _is_switched_on() -> bool:
    rules = rules_of(None)
    plan = rules.subscription
    granted = entitlements(
        plan.plan if plan is not None else "free",
        trial=plan is not None and plan.trial_started is not None,
    )
    return rules.policy is not None and rules.policy.writeback and granted.writeback


def is_under_way(user: User, now: datetime) -> bool:
    """Whether an order for this person has no outcome yet."""
    rows = DirectoryOrder.objects.filter(user=user, outcome="", created_at__gt=now - ENDS_WITHIN)
    return bool(rows.exists())


def _ordered(order: DirectoryOrder, link: DirectoryLink, password: Secret[str]) -> Order:
    return Order(
        purpose=WritebackJob.Purpose.ORDER,
        operation="reset_and_unlock",
        origin=order.pk,
        user=order.user,
        passwords=Passwords(new=password.reveal()),
        evidence=_evidence(order, link.connector_id, link.anchor),
        must_change=True,
    )


def _evidence(order: DirectoryOrder, connector: UUID, anchor: str) -> bytes:
    """32 bytes over who ordered what for whom, and when."""
    return tenant_keys().mac(
        "writeback order",
        order.tenant_id,
        order.pk,
        order.administrator_id,
        order.user_id,
        connector,
        anchor,
        int(order.created_at.timestamp() * 1_000_000),
    )


def rests_on_order(job: WritebackJob) -> bool:
    """What an ordered job rests on, as the signer finds it for itself: an administrator who may do
    this to this person now, did so at this time, and is somebody else (R-21)."""
    rows = DirectoryOrder.objects.select_related("administrator", "user")
    order: DirectoryOrder | None = rows.filter(pk=job.origin).first()
    if order is None or order.outcome or order.user_id != job.user_id:
        return False
    if not is_link_of(job) or order.created_at != job.created_at:
        return False
    if (job.operation, job.must_change, job.attempt) != ("reset_and_unlock", True, 1):
        return False
    own = _evidence(order, job.connector_id, job.anchor)
    return _may_order(order) and constant_time_compare(bytes(job.evidence).hex(), own.hex())


def _may_order(order: DirectoryOrder) -> bool:
    administrator = order.administrator
    if not administrator.usable or administrator.pk == order.user_id:
        return False
    return may_touch(administrator.roles, Permission.RESET, order.user.roles)


register_grounds(WritebackJob.Purpose.ORDER, rests_on_order)


def find_order(origin: UUID) -> DirectoryOrder | None:
    """The order that a job comes from, locked."""
    rows = DirectoryOrder.objects.select_for_update(of=("self",)).select_related("user")
    found: DirectoryOrder | None = rows.filter(pk=origin).first()
    return found


def settle(order: DirectoryOrder, told: Told, now: datetime, changes: Changes) -> None:
    """Notes the outcome. A password that no directory has is kept no longer."""
    order.outcome, order.finished_at = told, now
    if told not in CHANGED and told != "unknown":
        order.sealed = None
    changes.update(order, "outcome", "finished_at", "sealed")


def is_own(order: DirectoryOrder, administrator: UUID, session: bytes) -> bool:
    """Whether this session of this administrator asked for it."""
    same = constant_time_compare(bytes(order.session).hex(), session.hex())
    return same and order.administrator_id == administrator


def can_be_shown(order: DirectoryOrder, now: datetime) -> bool:
    return order.outcome in CHANGED and order.sealed is not None and now < order.expires_at


def reveal(order: DirectoryOrder, by: Party, session: bytes, now: datetime) -> Secret[str] | None:
    """The temporary password, once, to the session that asked; nothing for anybody else, or any
    more."""
    row: DirectoryOrder | None = find_order(order.pk)
    if row is None or by.id is None or not is_own(row, by.id, session):
        return None
    if not can_be_shown(row, now):
        return None
    try:
        password = tenant_keys().open_text(bytes(row.sealed or b""), _bound(row))
    except SealBroken:
        return None
    row.sealed, row.shown_at = None, now
    row.save(update_fields=["sealed", "shown_at"])
    audit.record(
        "writeback.password_shown",
        actor=by,
        target=party_of(row.user),
        correlation_id=row.pk,
        now=now,
    )
    return password


def _bound(order: DirectoryOrder) -> bytes:
    """What the password is sealed to; another session's hash in the row would not open it."""
    parts = (order.tenant_id, order.pk, order.administrator_id, order.user_id)
    return binding("directory order", *parts, bytes(order.session).hex())


def forget_passwords(now: datetime) -> int:
    """Removes temporary passwords that were not shown in time; how many."""
    return sum(_forget(tenant, now) for tenant in tenants_with_connectors())


def _forget(tenant: UUID, now: datetime) -> int:
    with tenant_context(tenant):
        rows = DirectoryOrder.objects.filter(sealed__isnull=False, expires_at__lte=now)
        return int(rows.update(sealed=None))
