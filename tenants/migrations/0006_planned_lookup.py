"""The worker asks every second or so: the question is planned once a connection."""

from django.db import migrations

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [("tenants", "0005_resetpolicy_phone_countries")]

    operations = [
        tenants.ops.PlannedLookup(
            "sspr_tenants_with_unsealed",
            "",
            "SETOF uuid",
            "SELECT DISTINCT tenant_id FROM tenants_auditpending",
            {},
        ),
    ]
