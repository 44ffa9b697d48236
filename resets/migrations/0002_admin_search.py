from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('resets', '0001_initial'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='flow',
            index=models.Index(fields=['tenant', 'state', '-started_at', '-id'], name='flows_by_state'),
        ),
    ]
