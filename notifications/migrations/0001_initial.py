import django.db.models.deletion
import uuid
import tenants.ops
import tenants.rls
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('channel', models.CharField(choices=[('email', 'Email'), ('sms', 'Sms'), ('voice', 'Voice'), ('none', 'None')], max_length=10)),
                ('recipient', models.BinaryField()),
                ('language', models.CharField(max_length=12)),
                ('context', models.BinaryField()),
                ('code_nonce', models.BinaryField(null=True)),
                ('code_binding', models.BinaryField(null=True)),
                ('reference', models.CharField(blank=True, max_length=9)),
                ('correlation_id', models.UUIDField(null=True)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('sent', 'Sent'), ('failed', 'Failed'), ('expired', 'Expired')], default='queued', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, max_length=200)),
                ('provider_id', models.CharField(blank=True, max_length=100)),
                ('created_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['tenant', 'due_at'], name='message_due'), models.Index(fields=['tenant', '-created_at', '-id'], name='message_newest_first'), models.Index(fields=['tenant', 'correlation_id'], name='messages_of_journey')],
            },
        ),
        migrations.CreateModel(
            name='ProviderSetting',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('sms', 'Sms'), ('voice', 'Voice')], max_length=10)),
                ('kind', models.CharField(max_length=20)),
                ('sealed_config', models.BinaryField()),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'channel'), name='one_provider_a_channel')],
            },
        ),
        tenants.rls.IsolateTenantTables("Message", "ProviderSetting"),
        tenants.ops.LookupFunction(
            "sspr_tenants_with_messages",
            "moment timestamptz",
            "SETOF uuid",
            "SELECT DISTINCT tenant_id FROM notifications_message"
            " WHERE state = 'queued' AND due_at <= moment",
            {"notifications_message": ["tenant_id", "state", "due_at"]},
        ),
    ]
