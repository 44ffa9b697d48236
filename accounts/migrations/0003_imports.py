import django.db.models.deletion
import uuid
from django.conf import settings
import tenants.ops
import tenants.rls
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_admin_search'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('actor_label', models.CharField(max_length=120)),
                ('file_name', models.CharField(max_length=120)),
                ('file_key', models.BinaryField(max_length=32)),
                ('format', models.CharField(max_length=20)),
                ('mode', models.CharField(choices=[('all', 'Only if every row is right'), ('rows', 'All rows that are right')], default='all', max_length=10)),
                ('replace_confirmed', models.BooleanField(default=False)),
                ('counts', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('checked', 'Checked'), ('applied', 'Applied'), ('discarded', 'Discarded'), ('expired', 'Expired')], default='checked', max_length=10)),
                ('sealed_file', models.BinaryField(null=True)),
                ('sealed_summary', models.BinaryField(null=True)),
                ('sealed_report', models.BinaryField(null=True)),
                ('keeps_data', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', '-created_at', '-id'], name='imports_newest_first'), models.Index(condition=models.Q(('keeps_data', True)), fields=['created_at'], name='imports_with_data')],
            },
        ),
        tenants.rls.IsolateTenantTables("ImportRun"),
        tenants.ops.LookupFunction(
            "sspr_tenants_with_imports",
            "before timestamptz",
            "SETOF uuid",
            "SELECT DISTINCT tenant_id FROM accounts_importrun WHERE keeps_data AND created_at <= before",
            {"accounts_importrun": ["tenant_id", "keeps_data", "created_at"]},
        ),
    ]
