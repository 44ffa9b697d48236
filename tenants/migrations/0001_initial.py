import django.db.models.deletion
import uuid
import tenants.ops
import tenants.rls
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(max_length=60)),
                ('activity', models.CharField(max_length=120)),
                ('result', models.CharField(max_length=10)),
                ('reason', models.CharField(blank=True, max_length=120)),
                ('actor_kind', models.CharField(max_length=20)),
                ('actor_id', models.UUIDField(null=True)),
                ('actor_label', models.CharField(blank=True, max_length=120)),
                ('target_kind', models.CharField(blank=True, max_length=20)),
                ('target_id', models.UUIDField(null=True)),
                ('target_label', models.CharField(blank=True, max_length=120)),
                ('correlation_id', models.UUIDField(null=True)),
                ('reference', models.CharField(blank=True, max_length=9)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('data', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Tenant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('slug', models.SlugField(max_length=63, unique=True)),
                ('name', models.CharField(max_length=100)),
                ('languages', models.JSONField(blank=True, default=list)),
                ('disclosure', models.CharField(choices=[('guided', 'Guided'), ('concealed', 'Concealed')], default='guided', max_length=10)),
                ('reveal_reason', models.BooleanField(default=False)),
                ('profile', models.CharField(choices=[('public', 'Public'), ('government', 'Government')], default='public', max_length=10)),
                ('active', models.BooleanField(default=True)),
                ('platform', models.BooleanField(default=False, editable=False, help_text='The installation itself, not a customer.')),
                ('helpdesk_email', models.EmailField(blank=True, max_length=254)),
                ('helpdesk_url', models.URLField(blank=True)),
                ('helpdesk_phone', models.CharField(blank=True, max_length=40)),
                ('brand_color', models.CharField(blank=True, max_length=7)),
                ('brand_logo', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='SharedCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('limit', models.CharField(max_length=40)),
                ('subject', models.BinaryField(max_length=32)),
                ('count', models.PositiveIntegerField()),
                ('allowed', models.PositiveIntegerField()),
                ('counted_at', models.DateTimeField()),
                ('window_ends', models.DateTimeField()),
                ('block_ends', models.DateTimeField(null=True)),
                ('ends_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('limit', 'subject'), name='one_shared_counter')],
            },
        ),
        migrations.CreateModel(
            name='Host',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=253, unique=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Group',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Domain',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=253, unique=True)),
                ('verified', models.BooleanField(default=True)),
                ('custom', models.BooleanField(default=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('limit', models.CharField(max_length=40)),
                ('subject', models.BinaryField(max_length=32)),
                ('count', models.PositiveIntegerField()),
                ('allowed', models.PositiveIntegerField()),
                ('counted_at', models.DateTimeField()),
                ('window_ends', models.DateTimeField()),
                ('block_ends', models.DateTimeField(null=True)),
                ('ends_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('sequence', models.PositiveBigIntegerField()),
                ('hash', models.BinaryField(max_length=32)),
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='seal', to='tenants.auditevent')),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='AuditPending',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField()),
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.auditevent')),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('sequence', models.PositiveBigIntegerField(default=0)),
                ('hash', models.BinaryField(default=b'\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00', max_length=32)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='auditevent',
            name='tenant',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant'),
        ),
        migrations.CreateModel(
            name='TenantKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('wrapped', models.BinaryField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('plan', models.CharField(choices=[('free', 'Free'), ('business_standard', 'Business Standard'), ('business_premium', 'Business Premium'), ('p1', 'P1'), ('p2', 'P2')], default='free', max_length=20)),
                ('trial_started', models.DateField(blank=True, null=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant',), name='one_subscription_a_tenant')],
            },
        ),
        migrations.CreateModel(
            name='ResetPolicy',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('enabled', models.CharField(choices=[('none', 'None'), ('selected', 'Selected'), ('all', 'All')], default='all', max_length=10)),
                ('require_licence', models.BooleanField(default=True)),
                ('methods', models.JSONField(default=list)),
                ('methods_required', models.PositiveSmallIntegerField(default=2)),
                ('combined_registration', models.BooleanField(default=True)),
                ('questions_to_register', models.PositiveSmallIntegerField(default=5)),
                ('questions_to_reset', models.PositiveSmallIntegerField(default=3)),
                ('custom_questions', models.JSONField(blank=True, default=list)),
                ('require_registration', models.BooleanField(default=True)),
                ('reconfirm_days', models.PositiveSmallIntegerField(default=180)),
                ('notify_user', models.BooleanField(default=True)),
                ('notify_admins', models.CharField(choices=[('all', 'All'), ('global', 'Global'), ('none', 'None')], default='all', max_length=10)),
                ('admins_may_reset', models.BooleanField(default=True)),
                ('writeback', models.BooleanField(default=False)),
                ('unlock_without_reset', models.BooleanField(default=False)),
                ('password_rules', models.CharField(choices=[('entra', 'Entra'), ('nist', 'Nist')], default='entra', max_length=10)),
                ('password_min_length', models.PositiveSmallIntegerField(default=8)),
                ('banned_terms', models.JSONField(blank=True, default=list)),
                ('check_breached', models.BooleanField(default=True)),
                ('pass_extension', models.BooleanField(default=False, help_text='Dial the extension of an office phone instead of stripping it.')),
                ('limits', models.JSONField(blank=True, default=dict)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.group')),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant',), name='one_policy_a_tenant')],
            },
        ),
        migrations.CreateModel(
            name='GroupNesting',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('child', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='outer', to='tenants.group')),
                ('parent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inner', to='tenants.group')),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'parent', 'child'), name='nested_once'), models.CheckConstraint(condition=models.Q(('parent', models.F('child')), _negated=True), name='not_in_itself')],
            },
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='group_name_in_tenant'),
        ),
        migrations.AddConstraint(
            model_name='counter',
            constraint=models.UniqueConstraint(fields=('tenant', 'limit', 'subject'), name='one_counter'),
        ),
        migrations.AddConstraint(
            model_name='auditseal',
            constraint=models.UniqueConstraint(fields=('tenant', 'sequence'), name='one_seal_a_number'),
        ),
        migrations.AddIndex(
            model_name='auditpending',
            index=models.Index(fields=['tenant', 'created_at', 'event'], name='audit_pending_order'),
        ),
        migrations.AddConstraint(
            model_name='audithead',
            constraint=models.UniqueConstraint(fields=('tenant',), name='one_chain_a_tenant'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['tenant', '-created_at', '-id'], name='audit_newest_first'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['tenant', 'reference'], name='audit_by_reference'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['tenant', 'correlation_id'], name='audit_by_journey'),
        ),
        migrations.AddConstraint(
            model_name='tenantkey',
            constraint=models.UniqueConstraint(fields=('tenant', 'version'), name='one_key_a_version'),
        ),
        tenants.rls.IsolateTenantTables("AuditEvent", "Tenant", "Host", "Group", "Domain", "Counter", "AuditSeal", "AuditPending", "AuditHead", "TenantKey", "Subscription", "ResetPolicy", "GroupNesting"),
        tenants.ops.CreateOpsRole(),
        tenants.ops.LookupFunction(
            "sspr_find_tenant",
            "kind text, value text",
            "uuid",
            "SELECT id FROM tenants_tenant WHERE kind = 'slug' AND slug = value AND active"
            " UNION SELECT d.tenant_id FROM tenants_domain d JOIN tenants_tenant t"
            " ON t.id = d.tenant_id WHERE kind = 'domain' AND d.name = value AND t.active"
            " UNION SELECT h.tenant_id FROM tenants_host h JOIN tenants_tenant t"
            " ON t.id = h.tenant_id WHERE kind = 'host' AND h.name = value AND t.active LIMIT 1",
            {
                "tenants_tenant": ["id", "slug", "active", "platform"],
                "tenants_domain": ["tenant_id", "name"],
                "tenants_host": ["tenant_id", "name"],
            },
        ),
        tenants.ops.LookupFunction(
            "sspr_tenants",
            "",
            "SETOF uuid",
            "SELECT id FROM tenants_tenant WHERE NOT platform ORDER BY slug",
            {},
        ),
        tenants.ops.LookupFunction(
            "sspr_platform", "", "SETOF uuid", "SELECT id FROM tenants_tenant WHERE platform", {}
        ),
        tenants.ops.LookupFunction(
            "sspr_tenants_with_unsealed",
            "",
            "SETOF uuid",
            "SELECT DISTINCT tenant_id FROM tenants_auditpending",
            {"tenants_auditpending": ["tenant_id"]},
        ),
        tenants.ops.ProtectAudit(),
    ]
