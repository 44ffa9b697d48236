"""A statement may refuse to write a row that was written to since it was read."""

from django.db import migrations

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [("tenants", "0025_ordered_counters")]

    operations = [tenants.ops.RefuseOvertaken()]
