
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0004_revision'),
    ]

    operations = [
        migrations.AddField(
            model_name='resetpolicy',
            name='phone_countries',
            field=models.JSONField(blank=True, default=list, help_text='Countries that codes are sent to; none means all.'),
        ),
    ]
