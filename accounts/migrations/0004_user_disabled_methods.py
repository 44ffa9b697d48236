
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_imports'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='disabled_methods',
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]
