"""The worker asks every second or so: the question is planned once a connection."""

from django.db import migrations

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0002_admin_search"),
        ("tenants", "0006_planned_lookup"),
    ]

    operations = [
        tenants.ops.PlannedLookup(
            "sspr_tenants_with_messages",
            "moment timestamptz",
            "SETOF uuid",
            "SELECT DISTINCT tenant_id FROM notifications_message"
            " WHERE state = 'queued' AND due_at <= moment",
            {},
        ),
    ]
