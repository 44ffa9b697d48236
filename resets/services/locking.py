"""The row of a journey, locked, with person, tenant and, where it is answered, the proof.

One statement, written by hand. The proof is locked with the journey, because whoever waited for a
lock sees only what is locked as it is then. Lock order everywhere: flow, challenge, user.
"""

from functools import cache
from typing import Any
from uuid import UUID

from accounts.models import User
from tenants.context import get_current_tenant
from tenants.joined import Joined
from tenants.models import Tenant
from tenants.statements import is_embedded
from tenants.together import stored

from ..flow import OPEN_STATES
from ..models import Challenge, Flow

_JOURNEY = Joined(f=Flow, t=Tenant, u=User)
_ASKED = Joined(f=Flow, t=Tenant, u=User, c=Challenge)
_OPEN = sorted(OPEN_STATES)


def find_locked(flow_id: UUID) -> Flow | None:
    """The journey with its person and tenant."""
    values = [stored(get_current_tenant()), stored(flow_id)]
    found = _JOURNEY.rows(_statement(), values)
    return _put_together(*found[0]) if found else None


def find_asked(flow_id: UUID) -> Flow | None:
    """The journey that waits for a proof, with `pending`; nothing when it waits for none."""
    values = [stored(get_current_tenant()), stored(flow_id)]
    found = _ASKED.rows(_statement_asked(), values)
    if not found:
        return None
    *rest, pending = found[0]
    flow: Any = _put_together(*rest)
    flow.pending = pending
    row: Flow = flow
    return row


def find_open_beside(flow_id: UUID) -> list[Flow]:
    """The journey and every open one of its person, in one order, and the person, locked too.

    Nothing for a decoy. Somebody else's start, which only needs the person to exist, goes on.
    """
    tenant, flow = stored(get_current_tenant()), stored(flow_id)
    found = _JOURNEY.rows(_statement_beside(), [tenant, tenant, flow, flow, *_OPEN])
    return [_put_together(*row) for row in found]


def _put_together(flow: Any, tenant: Tenant, user: User | None) -> Flow:
    flow.tenant, flow.user = tenant, user
    row: Flow = flow
    return row


@cache
def _statement_beside() -> str:
    # The nullable side of an outer join can't be locked.
    own = f"SELECT user_id FROM {Flow._meta.db_table} WHERE tenant_id = %s AND id = %s"  # noqa: S608 - names of ours
    states = ", ".join(["%s"] * len(_OPEN))
    text = _selection(_JOURNEY, "JOIN")
    text += f" WHERE f.tenant_id = %s AND f.user_id = ({own})"
    text += f" AND (f.id = %s OR f.state IN ({states})) ORDER BY f.id"
    return text + ("" if is_embedded() else " FOR NO KEY UPDATE OF f, u")


@cache
def _statement() -> str:
    text = _selection(_JOURNEY, "LEFT JOIN") + " WHERE f.tenant_id = %s AND f.id = %s"
    return text + ("" if is_embedded() else " FOR UPDATE OF f")


@cache
def _statement_asked() -> str:
    text = _selection(_ASKED, "LEFT JOIN") + (
        f" JOIN {Challenge._meta.db_table} c ON c.tenant_id = f.tenant_id AND c.flow_id = f.id"
        " AND NOT c.dead AND c.used_at IS NULL WHERE f.tenant_id = %s AND f.id = %s"
    )
    return text + ("" if is_embedded() else " FOR UPDATE OF f, c")


def _selection(joined: Joined, person: str) -> str:
    """The rows of a journey; `person` says how somebody is joined."""
    flow, tenant, user = (model._meta.db_table for model in (Flow, Tenant, User))
    return (
        f"SELECT {joined.columns} FROM {flow} f JOIN {tenant} t ON t.id = f.tenant_id"  # noqa: S608 - names of ours
        f" {person} {user} u ON u.tenant_id = f.tenant_id AND u.id = f.user_id"
    )
