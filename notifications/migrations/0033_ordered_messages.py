"""New rows get keys in the order of time. In the database nothing changes."""

from django.db import migrations, models

import tenants.ids


class Migration(migrations.Migration):

    dependencies = [("notifications", "0032_covered"), ("tenants", "0024_covered")]

    operations = [
        # An embedded database would build the tables anew, without the triggers that belong to them.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name=name,
                    name="id",
                    field=models.UUIDField(
                        default=tenants.ids.ordered_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                )
                for name in ("message",)
            ]
        )
    ]
