"""Opening an organisation as an operator: first a reason in that organisation's own trail, and
only then is anything of it shown (R-4).
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from .. import audit
from ..audit import Party
from ..context import tenant_context
from ..services import get_platform
from .directory import Listed

KEPT = timedelta(minutes=30)
"""How long a reason counts, for one organisation in one session."""
MOST_KEPT = 20
SHORTEST, LONGEST = 10, 200
_KEY = "operator_opened"


@dataclass(frozen=True)
class Acting:
    """An operator at work: who, from which network address, when."""

    party: Party
    address: str
    now: datetime


def open_tenant(
    acting: Acting, tenant: Listed, purpose: str, session: MutableMapping[str, Any]
) -> None:
    """Writes the access into the organisation's trail and the installation's, then remembers it."""
    tell(acting, "operator.accessed", tenant, {"purpose": purpose})
    opened = {key: kept for key, kept in session.get(_KEY, {}).items() if _counts(kept, acting.now)}
    opened[tenant.id.hex] = [acting.now.isoformat(), purpose]
    session[_KEY] = dict(sorted(opened.items(), key=lambda item: item[1][0])[-MOST_KEPT:])


def find_purpose(tenant: UUID, session: MutableMapping[str, Any], now: datetime) -> str | None:
    """The reason given for this organisation in this session, while it counts."""
    kept = session.get(_KEY, {}).get(tenant.hex)
    return str(kept[1]) if kept and _counts(kept, now) else None


def _counts(kept: Any, now: datetime) -> bool:
    return now - datetime.fromisoformat(kept[0]) < KEPT


def tell(acting: Acting, event_type: str, tenant: Listed, data: dict[str, object]) -> None:
    """One event in the organisation's own trail, then the same in the installation's.

    Inside the organisation's context the first one is part of the transaction that is open.
    """
    with tenant_context(tenant.id):
        note(acting, event_type, tenant.slug, data)
    tell_platform(acting, event_type, tenant.slug, data)


def tell_platform(acting: Acting, event_type: str, slug: str, data: dict[str, object]) -> None:
    with tenant_context(get_platform()):
        note(acting, event_type, slug, data)


def note(acting: Acting, event_type: str, slug: str, data: dict[str, object]) -> None:
    """An event in the trail of the tenant in force."""
    audit.record(
        event_type,
        actor=acting.party,
        data={"tenant": slug, **data},
        address=acting.address,
        now=acting.now,
    )
