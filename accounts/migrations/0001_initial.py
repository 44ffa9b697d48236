import django.db.models.deletion
import uuid
from django.conf import settings
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
            name='User',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('user_id', models.CharField(max_length=113)),
                ('display_name', models.CharField(blank=True, max_length=256)),
                ('given_name', models.CharField(blank=True, max_length=64)),
                ('surname', models.CharField(blank=True, max_length=64)),
                ('kind', models.CharField(choices=[('member', 'Member'), ('guest', 'Guest')], default='member', max_length=10)),
                ('is_active', models.BooleanField(default=True, verbose_name='enabled')),
                ('roles', models.JSONField(blank=True, default=list)),
                ('source', models.CharField(choices=[('cloud', 'Cloud'), ('password_hash_sync', 'Password Hash Sync'), ('pass_through', 'Pass Through'), ('federated', 'Federated')], default='cloud', max_length=20)),
                ('language', models.CharField(blank=True, max_length=12)),
                ('origin', models.CharField(blank=True, choices=[('', 'None'), ('partner', 'Partner'), ('self_service_sign_up', 'Self Service Sign Up'), ('invitation', 'Invitation'), ('personal', 'Personal')], default='', max_length=24)),
                ('home', models.CharField(blank=True, help_text="Slug of a partner's tenant.", max_length=63)),
                ('guest_lookup', models.BinaryField(max_length=32, null=True)),
                ('session_epoch', models.PositiveIntegerField(default=0, editable=False)),
                ('frozen_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('password_changed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('licence', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tenants.subscription')),
                ('manager', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reports', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='AuthenticatorDevice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(help_text='The human-readable name of this device.', max_length=64)),
                ('confirmed', models.BooleanField(default=True, help_text='Is this device ready for use?')),
                ('sealed_seed', models.BinaryField()),
                ('last_step', models.BigIntegerField(default=-1, editable=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(help_text='The user that this device belongs to.', on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='ContactPoint',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('primary_email', 'Primary Email'), ('alternate_email', 'Alternate Email'), ('mobile_phone', 'Mobile Phone'), ('office_phone', 'Office Phone')], max_length=20)),
                ('sealed', models.BinaryField()),
                ('lookup', models.BinaryField(max_length=32)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contacts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='GroupMember',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='tenants.group')),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='QuestionAnswer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('question', models.CharField(max_length=200)),
                ('answer_hash', models.CharField(editable=False, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Session',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('key_hash', models.BinaryField(max_length=32)),
                ('data', models.TextField()),
                ('epoch', models.PositiveIntegerField(default=0)),
                ('expires_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'default_manager_name': 'objects',
            },
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['guest_lookup'], name='guest_by_email'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['tenant', 'display_name'], name='people_by_name'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('source', 'cloud'), _negated=True), fields=['tenant'], name='synchronised_people'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('roles', []), _negated=True), fields=['tenant'], name='role_holders'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(fields=('tenant', 'user_id'), name='user_id_in_tenant'),
        ),
        migrations.AddIndex(
            model_name='contactpoint',
            index=models.Index(fields=['tenant', 'lookup'], name='contact_by_value'),
        ),
        migrations.AddConstraint(
            model_name='contactpoint',
            constraint=models.UniqueConstraint(fields=('tenant', 'user', 'kind'), name='one_contact_a_kind'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.UniqueConstraint(fields=('tenant', 'group', 'user'), name='member_once'),
        ),
        migrations.AddConstraint(
            model_name='questionanswer',
            constraint=models.UniqueConstraint(fields=('tenant', 'user', 'question'), name='question_once'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.UniqueConstraint(fields=('tenant', 'key_hash'), name='session_key_once'),
        ),
        tenants.rls.IsolateTenantTables("User", "AuthenticatorDevice", "ContactPoint", "GroupMember", "QuestionAnswer", "Session"),
        tenants.ops.LookupFunction(
            "sspr_guest_tenants",
            "lookup bytea",
            "SETOF uuid",
            "SELECT DISTINCT tenant_id FROM accounts_user WHERE guest_lookup = lookup LIMIT 20",
            {"accounts_user": ["tenant_id", "guest_lookup"]},
        ),
    ]
