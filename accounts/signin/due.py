"""Whether somebody has to choose another password before anything else."""

from contextlib import nullcontext
from datetime import datetime
from typing import Literal

from tenants.context import find_current_tenant, tenant_context
from tenants.rules import rules_of

from ..models import User
from ..passwords.expiry import is_expired

Due = Literal["", "forced", "expired"]


def password_due(user: User, now: datetime) -> Due:
    """Why the password has to be changed: an administrator asked for it, or it is too old. Only for
    passwords that are kept here."""
    if user.must_change_password:
        return "forced"
    if user.source != User.Source.CLOUD or not user.has_usable_password():
        return ""
    # Inside the tenant already, another context would cost a savepoint.
    inside = find_current_tenant() == user.tenant_id
    with nullcontext() if inside else tenant_context(user.tenant_id):
        policy = rules_of(user.tenant).policy
    days = policy.password_max_age_days if policy is not None else 0
    since = user.password_changed_at or user.created_at
    return "expired" if is_expired(since, days, now) else ""
