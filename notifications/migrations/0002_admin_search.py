from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0001_initial'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('reference', ''), _negated=True), fields=['tenant', 'reference', '-created_at', '-id'], name='message_by_reference'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['tenant', 'kind', 'channel', '-created_at', '-id'], name='message_by_kind'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['tenant', 'channel', '-created_at', '-id'], name='message_by_channel'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state__in', ['failed', 'expired'])), fields=['tenant', 'state', '-created_at', '-id'], name='message_not_delivered'),
        ),
    ]
