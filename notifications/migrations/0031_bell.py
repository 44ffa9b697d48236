"""A queued message wakes the worker, which otherwise looks twice a second."""

from django.db import migrations

import tenants.ops


class Migration(migrations.Migration):

    dependencies = [("notifications", "0030_push")]

    operations = [tenants.ops.RingForRows("notifications_message", "sspr", "messages")]
