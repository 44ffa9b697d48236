import django.db.models.deletion
import uuid
import tenants.rls
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0003_planned_lookup'),
        ('tenants', '0006_planned_lookup'),
    ]

    operations = [
        migrations.AlterField(
            model_name='message',
            name='channel',
            field=models.CharField(choices=[('email', 'Email'), ('sms', 'Sms'), ('voice', 'Voice'), ('push', 'Push'), ('none', 'None')], max_length=10),
        ),
        migrations.CreateModel(
            name='PushSubscription',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('device', models.UUIDField()),
                ('sealed', models.BinaryField()),
                ('created_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'device'), name='one_push_a_device')],
            },
        ),
        tenants.rls.IsolateTenantTables("PushSubscription"),
    ]
