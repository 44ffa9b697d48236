from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("resets", "0005_guests")]

    operations = [
        migrations.AddField(
            model_name="flow",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
