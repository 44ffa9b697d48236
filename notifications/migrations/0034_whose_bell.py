"""The worker learns from the bell whose messages wait, and need not look for them."""

from django.db import migrations

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [("notifications", "0033_ordered_messages")]

    operations = [tenants.ops.RingForTenants("sspr", "messages")]
