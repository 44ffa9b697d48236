"""Whose host or domain it is, is asked with every start: planned once a connection."""

from django.db import migrations

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [("tenants", "0008_guests")]

    operations = [
        tenants.ops.PlannedLookup(
            "sspr_find_tenant",
            "kind text, value text",
            "uuid",
            "SELECT id FROM tenants_tenant WHERE kind = 'slug' AND slug = value AND active"
            " UNION SELECT d.tenant_id FROM tenants_domain d JOIN tenants_tenant t"
            " ON t.id = d.tenant_id WHERE kind = 'domain' AND d.name = value AND t.active"
            " UNION SELECT h.tenant_id FROM tenants_host h JOIN tenants_tenant t"
            " ON t.id = h.tenant_id WHERE kind = 'host' AND h.name = value AND t.active LIMIT 1",
            {},
        ),
    ]
