
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0020_registration'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenant',
            name='lockout_seconds',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='tenant',
            name='lockout_threshold',
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
