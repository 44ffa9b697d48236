"""Counters whose time is over are found by an index, tenant by tenant, and removed."""

from django.db import migrations, models

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [("tenants", "0006_planned_lookup")]

    operations = [
        migrations.AddIndex(
            model_name="counter",
            index=models.Index(fields=["tenant", "ends_at"], name="counters_by_end"),
        ),
        migrations.AddIndex(
            model_name="sharedcounter",
            index=models.Index(fields=["ends_at"], name="shared_counters_by_end"),
        ),
        tenants.ops.LookupFunction(
            "sspr_tenants_with_ended_counters",
            "before timestamptz",
            "SETOF uuid",
            # One probe of the index for each tenant, however many counters there are.
            "SELECT t.id FROM tenants_tenant t CROSS JOIN LATERAL"
            " (SELECT FROM tenants_counter c WHERE c.tenant_id = t.id AND c.ends_at <= before"
            " ORDER BY c.ends_at LIMIT 1) ended",
            {"tenants_tenant": ["id"], "tenants_counter": ["tenant_id", "ends_at"]},
        ),
    ]
