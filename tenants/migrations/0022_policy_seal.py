"""A policy is sealed when it is saved. One that was saved before is sealed at its next saving; until
then nothing is signed for a directory."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("tenants", "0021_lockout")]

    operations = [
        migrations.AddField(
            model_name="resetpolicy",
            name="seal",
            field=models.BinaryField(default=bytes, max_length=32, editable=False),
        ),
    ]
