"""Fills an embedded database: `python -m benchmarks.sites.embedded_fill EVENTS`.

One tenant with an administrator; its audit events are copied from one that the product recorded.
"""

import sys

import django


def fill(events: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from benchmarks.harness.people import make_administrator, make_place
    from tenants.audit import Party, record
    from tenants.context import tenant_context

    place = make_place("giant")
    make_administrator(place)
    with tenant_context(place.tenant):
        record("flow.started", actor=Party("anonymous", None, ""), data={}, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("SELECT name FROM pragma_table_info('tenants_auditevent')")
        columns = [name for (name,) in cursor.fetchall()]
        made = {
            "id": "lower(hex(randomblob(16)))",
            "created_at": "strftime('%Y-%m-%d %H:%M:%f000', '2025-11-01',"
            f" '+' || (n * (380.0 * 86400 / {events})) || ' seconds')",
            "reference": "substr(hex(randomblob(2)), 1, 4) || '-' || hex(randomblob(2))",
        }
        values = ", ".join(made.get(name, f'template."{name}"') for name in columns)
        cursor.execute(
            f"WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number"
            f" WHERE n < {events}) INSERT INTO tenants_auditevent"
            f" SELECT {values} FROM number, (SELECT * FROM tenants_auditevent LIMIT 1) template"
        )
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    django.setup()
    fill(int(sys.argv[1]))
