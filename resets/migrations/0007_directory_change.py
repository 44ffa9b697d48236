import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

import tenants.rls


class Migration(migrations.Migration):

    dependencies = [
        ('resets', '0006_writing'),
        ('tenants', '0021_lockout'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DirectoryChange',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('session', models.BinaryField(max_length=32)),
                ('state', models.CharField(choices=[('writing', 'Writing'), ('done', 'Done'), ('partly', 'Partly'), ('wrong', 'Wrong'), ('rejected', 'Rejected'), ('not_changed', 'Not Changed'), ('failed', 'Failed'), ('unknown', 'Unknown')], default='writing', max_length=12)),
                ('reason', models.CharField(blank=True, max_length=30)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('familiar', models.BooleanField(default=False)),
                ('locked_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'writing')), fields=('tenant', 'user'), name='one_open_change')],
            },
        ),
        tenants.rls.IsolateTenantTables("DirectoryChange"),
    ]
