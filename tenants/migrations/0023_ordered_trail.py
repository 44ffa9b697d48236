"""New events and their seals get keys in the order of time. That is for whoever writes them: in the
database nothing changes, and the keys of what is there stay as they are."""

from django.db import migrations

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [("tenants", "0022_policy_seal")]

    operations = [tenants.ops.ordered_keys("auditevent", "auditseal")]
