"""New rows get keys in the order of time."""

from django.db import migrations

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [("notifications", "0032_covered"), ("tenants", "0024_covered")]

    operations = [tenants.ops.ordered_keys("message")]
