"""What became of a reset that an administrator ordered: what rested on the old password ends, and
the person is told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts.models import ContactPoint, User
from accounts.signin.locks import clear_lockout
from accounts.telling import tell
from tenants import audit
from tenants.together import Changes
from writeback.jobs import told
from writeback.models import DirectoryOrder, WritebackJob
from writeback.services.ordering import CHANGED, find_order, settle
from writeback.services.outcome import finished

from ..flow import OPEN_STATES
from ..models import Flow
from .finish import end_what_rested


def land_order(origin: UUID, jobs: Sequence[WritebackJob], now: datetime, changes: Changes) -> None:
    """In the transaction that ends the last of its jobs, or that corrects an unknown one.

    A lost answer ends sessions too, because the password may be the new one; the person is told
    when it certainly is.
    """
    order = find_order(origin)
    if order is None:
        return
    before, what = order.outcome, told(finished(jobs))
    settle(order, what, now, changes)
    if before not in {*CHANGED, "unknown"} and what in {*CHANGED, "unknown"}:
        _end_what_rested(order, now, changes)
    if before not in CHANGED and what in CHANGED:
        contacts = ContactPoint.objects.filter(user=order.user)
        tell("password_reset_by_administrator", order.user, contacts, {}, now=now)


def _end_what_rested(order: DirectoryOrder, now: datetime, changes: Changes) -> None:
    """Open journeys too; one whose own password is on its way ends with that. Locked in the order
    of everywhere: journeys, then the person."""
    rows = Flow.objects.filter(user=order.user_id, state__in=OPEN_STATES)
    flows = list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    user = User.objects.select_for_update(no_key=True).get(pk=order.user_id)
    cancelled = end_what_rested(user, flows, now, changes)
    clear_lockout(user, into=changes)
    audit.record_many(cancelled, into=changes)
