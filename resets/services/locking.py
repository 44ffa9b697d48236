"""The row of a journey, locked, with person, tenant and, where it is answered, the proof.

One statement, written by hand. The proof is locked with the journey, because whoever waited for a
lock sees only what is locked as it is then. Lock order everywhere: flow, challenge, user.
"""

from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import User
from tenants.context import fetch_for_tenant, get_current_tenant
from tenants.models import Tenant
from tenants.together import Shape, stored

from ..models import Challenge, Flow


def find_locked(flow_id: UUID) -> Flow | None:
    """The journey with its person and tenant."""
    return _find(flow_id, asked=False)


def find_asked(flow_id: UUID) -> Flow | None:
    """The journey that waits for a proof, with `pending`; nothing when it waits for none."""
    return _find(flow_id, asked=True)


def _find(flow_id: UUID, *, asked: bool) -> Flow | None:
    statement, shapes = _statement(asked, connection.vendor)
    values = [stored(get_current_tenant()), stored(flow_id)]
    found = fetch_for_tenant(statement, values)
    if not found:
        return None
    flow: Any
    flow, tenant, user, *rest = [
        shape.load(body) if body is not None and _is_there(body) else None
        for shape, body in zip(shapes, found[0], strict=True)
    ]
    flow.tenant, flow.user = tenant, user
    if asked:
        flow.pending = rest[0]
    row: Flow = flow
    return row


def _is_there(body: Any) -> bool:
    """Without a person the embedded database answers with an object of nothing."""
    return not isinstance(body, str) or '"id":null' not in body


@cache
def _statement(asked: bool, vendor: str) -> tuple[str, tuple[Shape, ...]]:
    models: list[Any] = [Flow, Tenant, User, *([Challenge] if asked else [])]
    shapes = tuple(Shape(model) for model in models)
    flow, tenant, user = (model._meta.db_table for model in models[:3])
    parts = ", ".join(shape.json(alias) for shape, alias in zip(shapes, "ftuc", strict=False))
    text = (
        f"SELECT {parts} FROM {flow} f JOIN {tenant} t ON t.id = f.tenant_id"  # noqa: S608 - names of ours
        f" LEFT JOIN {user} u ON u.tenant_id = f.tenant_id AND u.id = f.user_id"
    )
    if asked:
        table = Challenge._meta.db_table
        text += (
            f" JOIN {table} c ON c.tenant_id = f.tenant_id AND c.flow_id = f.id"
            " AND NOT c.dead AND c.used_at IS NULL"
        )
    text += " WHERE f.tenant_id = %s AND f.id = %s"
    if vendor == "postgresql":
        text += " FOR UPDATE OF f, c" if asked else " FOR UPDATE OF f"
    return text, shapes
