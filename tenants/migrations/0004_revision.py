import uuid

from django.db import migrations, models

import tenants.ops


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_admin_search")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="revision",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        tenants.ops.TellOfChanges(
            "tenants_resetpolicy", "tenants_subscription", "tenants_domain"
        ),
    ]
