from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0002_operator'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['tenant', 'actor_label', '-created_at', '-id'], name='audit_by_actor'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(condition=models.Q(('target_label', models.F('actor_label')), _negated=True), fields=['tenant', 'target_label', '-created_at', '-id'], name='audit_by_target'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['tenant', 'type', 'result', '-created_at', '-id'], name='audit_by_type'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(condition=models.Q(('result__in', ['failure', 'denied'])), fields=['tenant', 'result', '-created_at', '-id'], name='audit_not_succeeded'),
        ),
    ]
