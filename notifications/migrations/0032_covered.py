"""Rows that come with every step of a journey are kept in fewer indexes and checked once."""

from django.db import migrations

import tenants.rls


class Migration(migrations.Migration):

    dependencies = [("notifications", "0031_bell"), ("tenants", "0024_covered")]

    operations = [tenants.rls.DropCovered("Message")]
