"""What the runtime role may do: rows of tenant tables, and the audit trail only to add and read."""

from django.conf import settings
from django.db import connections

from .models import AuditEvent, AuditSeal

APPEND_ONLY = (AuditEvent, AuditSeal)


def grant_to_runtime(using: str) -> None:
    """Grants through the owner's connection `using`, after migrations; no role named, no grant."""
    connection = connections[using]
    role = settings.DATABASES["default"].get("USER")
    if using != "owner" or connection.vendor != "postgresql" or not role:
        return
    name = connection.ops.quote_name(role)
    append_only = ", ".join(model._meta.db_table for model in APPEND_ONLY)
    statements = (
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {append_only} FROM {name}",
        f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name}",
    )
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
