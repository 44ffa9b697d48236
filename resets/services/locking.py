"""The row of a journey, locked, with person, tenant and, where it is answered, the proof.

One statement, written by hand. The proof is locked with the journey, because whoever waited for a
lock sees only what is locked as it is then. Lock order everywhere: flow, challenge, user.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from accounts.models import User
from tenants.context import fetch_for_tenant, get_current_tenant
from tenants.models import Tenant
from tenants.statements import is_embedded
from tenants.together import Shape, stored

from ..flow import OPEN_STATES
from ..models import Challenge, Flow


def find_locked(flow_id: UUID) -> Flow | None:
    """The journey with its person and tenant."""
    return _find(flow_id, asked=False)


def find_asked(flow_id: UUID) -> Flow | None:
    """The journey that waits for a proof, with `pending`; nothing when it waits for none."""
    return _find(flow_id, asked=True)


def find_open_beside(flow_id: UUID) -> list[Flow]:
    """The journey and every open one of its person, in one order, and the person, locked too.

    Nothing for a decoy. Somebody else's start, which only needs the person to exist, goes on.
    """
    statement, shapes = _statement_beside()
    tenant, flow = stored(get_current_tenant()), stored(flow_id)
    found = fetch_for_tenant(statement, [tenant, tenant, flow, flow, *_OPEN], _columns(shapes))
    return [_loaded(shapes, row) for row in found]


def _find(flow_id: UUID, *, asked: bool) -> Flow | None:
    statement, shapes = _statement(asked)
    values = [stored(get_current_tenant()), stored(flow_id)]
    found = fetch_for_tenant(statement, values, _columns(shapes))
    return _loaded(shapes, found[0]) if found else None


def _columns(shapes: Sequence[Shape]) -> str:
    return ", ".join(["{told}", *["NULL"] * (len(shapes) - 1)])


def _loaded(shapes: Sequence[Shape], bodies: Sequence[Any]) -> Flow:
    flow: Any
    flow, tenant, user, *rest = [
        shape.load(body) if body is not None and _is_there(body) else None
        for shape, body in zip(shapes, bodies, strict=True)
    ]
    flow.tenant, flow.user = tenant, user
    if rest:
        flow.pending = rest[0]
    row: Flow = flow
    return row


def _is_there(body: Any) -> bool:
    """Without a person the embedded database answers with an object of nothing."""
    return not isinstance(body, str) or '"id":null' not in body


_OPEN = sorted(OPEN_STATES)


@cache
def _statement_beside() -> tuple[str, tuple[Shape, ...]]:
    # The nullable side of an outer join can't be locked.
    text, shapes = _selection([Flow, Tenant, User], "JOIN")
    own = f"SELECT user_id FROM {Flow._meta.db_table} WHERE tenant_id = %s AND id = %s"  # noqa: S608 - names of ours
    states = ", ".join(["%s"] * len(_OPEN))
    text += f" WHERE f.tenant_id = %s AND f.user_id = ({own})"
    text += f" AND (f.id = %s OR f.state IN ({states})) ORDER BY f.id"
    return text + ("" if is_embedded() else " FOR NO KEY UPDATE OF f, u"), shapes


@cache
def _statement(asked: bool) -> tuple[str, tuple[Shape, ...]]:
    text, shapes = _selection([Flow, Tenant, User, *([Challenge] if asked else [])], "LEFT JOIN")
    if asked:
        table = Challenge._meta.db_table
        text += (
            f" JOIN {table} c ON c.tenant_id = f.tenant_id AND c.flow_id = f.id"
            " AND NOT c.dead AND c.used_at IS NULL"
        )
    text += " WHERE f.tenant_id = %s AND f.id = %s"
    if not is_embedded():
        text += " FOR UPDATE OF f, c" if asked else " FOR UPDATE OF f"
    return text, shapes


def _selection(models: Sequence[Any], person: str) -> tuple[str, tuple[Shape, ...]]:
    """The rows of these models; `person` says how somebody is joined."""
    shapes = tuple(Shape(model) for model in models)
    flow, tenant, user = (model._meta.db_table for model in models[:3])
    parts = ", ".join(shape.json(alias) for shape, alias in zip(shapes, "ftuc", strict=False))
    text = (
        f"SELECT {parts} FROM {flow} f JOIN {tenant} t ON t.id = f.tenant_id"  # noqa: S608 - names of ours
        f" {person} {user} u ON u.tenant_id = f.tenant_id AND u.id = f.user_id"
    )
    return text, shapes
