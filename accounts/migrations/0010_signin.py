import django.db.models.deletion
import django.utils.timezone
import uuid
import tenants.rls
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_guests'),
        ('tenants', '0006_planned_lookup'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='address',
            field=models.CharField(blank=True, max_length=45),
        ),
        migrations.AddField(
            model_name='session',
            name='browser',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name='session',
            name='methods',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='session',
            name='seen_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name='user',
            name='must_change_password',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.CreateModel(
            name='FamiliarPlace',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subject', models.BinaryField(max_length=32)),
                ('place', models.BinaryField(max_length=32)),
                ('seen_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'subject', 'place'), name='place_once')],
            },
        ),
        migrations.CreateModel(
            name='ProofChallenge',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('session', models.BinaryField(max_length=32)),
                ('purpose', models.CharField(max_length=16)),
                ('method', models.CharField(max_length=24)),
                ('channel', models.CharField(blank=True, max_length=10)),
                ('anchor', models.BinaryField(max_length=32, null=True)),
                ('questions', models.JSONField(default=list)),
                ('nonce', models.BinaryField(max_length=16)),
                ('site', models.CharField(blank=True, max_length=255)),
                ('reference', models.CharField(max_length=9)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('judged', models.PositiveSmallIntegerField(default=0)),
                ('sends', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('dead', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'user', 'dead'], name='proofs_asked_of_person')],
            },
        ),
        migrations.CreateModel(
            name='SignInLock',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subject', models.BinaryField(max_length=32)),
                ('familiar', models.BooleanField(default=False)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('locks', models.PositiveIntegerField(default=0)),
                ('locked_until', models.DateTimeField(null=True)),
                ('last_failed_at', models.DateTimeField(null=True)),
                ('wrong', models.JSONField(default=list)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'subject', 'familiar'), name='lock_of_user_id_once')],
            },
        ),
        tenants.rls.IsolateTenantTables("FamiliarPlace", "ProofChallenge", "SignInLock"),
    ]
