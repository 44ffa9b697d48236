"""Who is in which group, groups inside groups counted."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from tenants.context import get_current_tenant
from tenants.models import GroupNesting

_INSIDE = """
WITH RECURSIVE inside(id) AS (
    SELECT group_id FROM accounts_groupmember WHERE tenant_id = %s AND user_id = %s
    UNION
    SELECT n.parent_id FROM tenants_groupnesting n JOIN inside i ON n.child_id = i.id
    WHERE n.tenant_id = %s
)
SELECT EXISTS (SELECT 1 FROM inside WHERE id = %s)
"""


def is_in_group(user: UUID, group: UUID) -> bool:
    """Whether the person is in the group, directly or through groups inside it."""
    tenant = get_current_tenant()
    values = (tenant, user, tenant, group)
    with connection.cursor() as cursor:
        cursor.execute(_INSIDE, [v.hex if connection.vendor == "sqlite" else v for v in values])
        return bool(cursor.fetchone()[0])


_MEMBERS = """
WITH RECURSIVE inside(id) AS (
    SELECT %s
    UNION
    SELECT n.child_id FROM tenants_groupnesting n JOIN inside i ON n.parent_id = i.id
    WHERE n.tenant_id = %s
)
SELECT DISTINCT m.user_id FROM accounts_groupmember m JOIN inside i ON m.group_id = i.id
WHERE m.tenant_id = %s
"""


def people_inside(group: UUID) -> list[UUID]:
    """Everybody in the group, directly or through groups inside it."""
    tenant = get_current_tenant()
    values = (group, tenant, tenant)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(_MEMBERS, [value.hex for value in values])
            return [UUID(row[0]) for row in cursor.fetchall()]
        cursor.execute(_MEMBERS.replace("SELECT %s\n", "SELECT %s::uuid\n", 1), list(values))
        return [row[0] for row in cursor.fetchall()]


def groups_inside(groups: Iterable[UUID]) -> set[UUID]:
    """These groups, and those inside them."""
    inner: dict[UUID, list[UUID]] = {}
    for parent, child in GroupNesting.objects.values_list("parent_id", "child_id"):
        inner.setdefault(parent, []).append(child)
    found: set[UUID] = set()
    waiting = list(groups)
    while waiting:
        group = waiting.pop()
        if group not in found:
            found.add(group)
            waiting += inner.get(group, [])
    return found
