"""Methods that failed too often in a row, disabled until their owner signs in or an administrator
says so (NIST SP 800-63B: at most 100 consecutive failures)."""

from datetime import datetime

from tenants import audit
from tenants.audit import Party
from tenants.counters import Count, forget
from tenants.limits import LIMITS

from .models import User
from .person_key import person_key

STREAK = "failed_in_a_row"


def disable_method(user: User, method: str, *, failures: int, now: datetime) -> None:
    """From now on nobody recovers the account with this method. In the caller's transaction."""
    if method in user.disabled_methods:
        return
    user.disabled_methods = sorted([*user.disabled_methods, method])
    user.save(update_fields=["disabled_methods"])
    audit.record(
        "method.disabled",
        actor=Party("system", None, "limits"),
        target=Party("user", user.pk, user.user_id),
        data={"method": method, "failures": failures},
        now=now,
    )


def enable_methods(user: User, actor: Party, *, now: datetime, reason: str = "") -> None:
    """Gives a person their methods back and starts their counting afresh.

    Called when the person signed in, or by an administrator. Costs nothing where none is disabled.
    """
    if not user.disabled_methods:
        return
    methods, user.disabled_methods = list(user.disabled_methods), []
    user.save(update_fields=["disabled_methods"])
    person = person_key(user.user_id).hex()
    forget([Count(LIMITS[STREAK], f"{person}:{method}") for method in methods])
    audit.record(
        "method.enabled",
        actor=actor,
        target=Party("user", user.pk, user.user_id),
        reason=reason,
        data={"methods": methods},
        now=now,
    )
