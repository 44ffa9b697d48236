"""Who the customer is, and what their rules are. One file an aggregate."""

from .audit import AuditEvent, AuditHead, AuditPending, AuditSeal
from .counter import Counter, SharedCounter
from .group import Group, GroupNesting
from .heartbeat import Heartbeat
from .policy import ResetPolicy
from .tenant import Domain, Host, Subscription, Tenant, TenantKey

__all__ = [
    "AuditEvent",
    "AuditHead",
    "AuditPending",
    "AuditSeal",
    "Counter",
    "Domain",
    "Group",
    "GroupNesting",
    "Heartbeat",
    "Host",
    "ResetPolicy",
    "SharedCounter",
    "Subscription",
    "Tenant",
    "TenantKey",
]
