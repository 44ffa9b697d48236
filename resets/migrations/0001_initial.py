import django.db.models.deletion
import uuid
from django.conf import settings
import tenants.rls
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SpentCaptcha',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='Flow',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('secret_hash', models.BinaryField(max_length=32)),
                ('reference', models.CharField(max_length=9)),
                ('person_key', models.BinaryField(max_length=32)),
                ('user_id_typed', models.BinaryField()),
                ('operation', models.CharField(default='reset', max_length=10)),
                ('state', models.CharField(choices=[('started', 'started'), ('proving', 'proving'), ('proved', 'proved'), ('choosing', 'choosing'), ('writing', 'writing'), ('done', 'done'), ('refused', 'refused'), ('locked', 'locked'), ('expired', 'expired'), ('cancelled', 'cancelled'), ('failed', 'failed'), ('unknown', 'unknown')], max_length=12)),
                ('reason', models.CharField(blank=True, max_length=30)),
                ('policy', models.CharField(blank=True, max_length=20)),
                ('policy_version', models.PositiveIntegerField(default=0)),
                ('gates_required', models.PositiveSmallIntegerField(default=0)),
                ('methods', models.JSONField(default=list)),
                ('concealed', models.BooleanField(default=False)),
                ('language', models.CharField(max_length=12)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('blocked_until', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='flows', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Challenge',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('step', models.PositiveSmallIntegerField()),
                ('method', models.CharField(max_length=20)),
                ('channel', models.CharField(blank=True, max_length=10)),
                ('anchor', models.BinaryField(max_length=32, null=True)),
                ('evidence', models.CharField(blank=True, max_length=80)),
                ('questions', models.JSONField(default=list)),
                ('nonce', models.BinaryField(max_length=16)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('judged', models.PositiveSmallIntegerField(default=0)),
                ('sends', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('dead', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('flow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='challenges', to='resets.flow')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Gate',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('step', models.PositiveSmallIntegerField()),
                ('method', models.CharField(max_length=20)),
                ('anchor', models.BinaryField(max_length=32)),
                ('evidence', models.CharField(max_length=80)),
                ('seal', models.BinaryField(max_length=32)),
                ('passed_at', models.DateTimeField()),
                ('challenge', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='gate', to='resets.challenge')),
                ('flow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='gates', to='resets.flow')),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Repudiation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('token_hash', models.BinaryField(max_length=32)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('flow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='resets.flow')),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddIndex(
            model_name='flow',
            index=models.Index(fields=['tenant', 'user', 'state'], name='flows_of_person'),
        ),
        migrations.AddIndex(
            model_name='flow',
            index=models.Index(fields=['tenant', '-started_at', '-id'], name='flows_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='flow',
            constraint=models.UniqueConstraint(fields=('tenant', 'reference'), name='reference_in_tenant'),
        ),
        migrations.AddIndex(
            model_name='challenge',
            index=models.Index(fields=['tenant', 'flow', 'dead'], name='challenges_of_flow'),
        ),
        migrations.AddConstraint(
            model_name='gate',
            constraint=models.UniqueConstraint(fields=('tenant', 'flow', 'step'), name='one_gate_a_step'),
        ),
        migrations.AddConstraint(
            model_name='gate',
            constraint=models.UniqueConstraint(fields=('tenant', 'flow', 'anchor'), name='one_gate_an_anchor'),
        ),
        migrations.AddConstraint(
            model_name='repudiation',
            constraint=models.UniqueConstraint(fields=('tenant', 'token_hash'), name='repudiation_once'),
        ),
        tenants.rls.IsolateTenantTables("Flow", "Challenge", "Gate", "Repudiation"),
    ]
