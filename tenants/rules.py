"""What holds in a tenant, kept in the process for as long as nobody changes it.

Every change to the tenant's row, policy, subscription or domains gives the row a new `revision`, by
a trigger, so that whoever writes, it is noticed. A step that has read the row therefore knows
whether what is kept still holds. A revision is never used twice: one that was rolled back names
nothing.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from .models import Domain, ResetPolicy, Subscription, Tenant
from .statements import is_embedded
from .together import Reading

MOST_KEPT = 2000


@dataclass(frozen=True)
class TenantRules:
    """Policy, subscription and verified domains of a tenant; the rows are for reading only."""

    tenant: Tenant
    policy: ResetPolicy | None
    subscription: Subscription | None
    domains: tuple[Domain, ...]


_kept: OrderedDict[UUID, TenantRules] = OrderedDict()
_lock = Lock()


def rules_of(tenant: Tenant | None = None) -> TenantRules:
    """The rules of the tenant in force, whose row was just read; without it the row is read too."""
    if tenant is not None:
        with _lock:
            kept = _kept.get(tenant.pk)
            if kept is not None and kept.tenant.revision == tenant.revision:
                _kept.move_to_end(tenant.pk)
                return kept
    found = _read()
    # The embedded database has no triggers that would tell of a change.
    if not is_embedded():
        with _lock:
            _kept[found.tenant.pk] = found
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return found


_RULES = Reading(
    lambda: (
        Tenant.objects.all(),
        ResetPolicy.objects.all(),
        Subscription.objects.all(),
        Domain.objects.filter(verified=True),
    )
)


def _read() -> TenantRules:
    tenants, policies, subscriptions, domains = _RULES.rows()
    if not tenants:
        raise Tenant.DoesNotExist
    return TenantRules(
        tenants[0], next(iter(policies), None), next(iter(subscriptions), None), tuple(domains)
    )


def forget_rules() -> None:
    with _lock:
        _kept.clear()
