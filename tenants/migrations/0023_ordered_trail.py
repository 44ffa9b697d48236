"""New events and their seals get keys in the order of time. That is for whoever writes them: in the
database nothing changes, and the keys of what is there stay as they are."""

from django.db import migrations, models

import tenants.ids


class Migration(migrations.Migration):

    dependencies = [("tenants", "0022_policy_seal")]

    operations = [
        # An embedded database would build the table anew, without the triggers that keep it.
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
                for name in ("auditevent", "auditseal")
            ]
        )
    ]
