
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('resets', '0002_admin_search'),
    ]

    operations = [
        migrations.AddField(
            model_name='flow',
            name='attempted',
            field=models.BooleanField(default=False),
        ),
    ]
