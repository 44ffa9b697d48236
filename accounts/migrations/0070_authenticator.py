import django.db.models.deletion
import uuid
import tenants.rls
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0060_oidc'),
        ('tenants', '0006_planned_lookup'),
    ]

    operations = [
        migrations.AddField(
            model_name='credential',
            name='paused_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name='ApprovalRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('challenge', models.UUIDField()),
                ('meant_for', models.UUIDField(null=True)),
                ('purpose', models.CharField(choices=[('reset', 'Reset'), ('sign_in', 'Sign In'), ('enrolment', 'Enrolment')], default='reset', max_length=10)),
                ('reference', models.CharField(blank=True, max_length=9)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('number_mac', models.BinaryField(max_length=32)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('approved', 'Approved'), ('denied', 'Denied'), ('cancelled', 'Cancelled'), ('repudiated', 'Repudiated')], default='pending', max_length=10)),
                ('cause', models.CharField(blank=True, max_length=20)),
                ('decided_by', models.UUIDField(null=True)),
                ('signature', models.BinaryField(max_length=64, null=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='approval_requests', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'user', 'state'], name='approvals_of_person'), models.Index(condition=models.Q(('state', 'pending')), fields=['tenant', 'reference'], name='approvals_of_journey')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'challenge'), name='approval_of_challenge')],
            },
        ),
        tenants.rls.IsolateTenantTables("ApprovalRequest"),
    ]
