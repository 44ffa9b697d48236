from django.db import migrations, models

import tenants.ops

# Each answers only while the installation's own row is in force, never inside a customer's context.
AS_OPERATOR = (
    "EXISTS (SELECT FROM tenants_tenant p WHERE p.platform"
    " AND p.id = NULLIF(current_setting('app.tenant', true), '')::uuid)"
)


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0001_initial'),
        ('accounts', '0001_initial'),
        ('notifications', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('name', models.CharField(max_length=20, primary_key=True, serialize=False)),
                ('beat_at', models.DateTimeField()),
            ],
        ),
        tenants.ops.LookupFunction(
            "sspr_operator_tenants",
            "wanted uuid, beginning text, after text, before text, size integer",
            "TABLE (tenant uuid, short_name text, full_name text, is_active boolean,"
            " made_at timestamptz, bought text, trial_since date, people bigint)",
            "SELECT t.id, t.slug::text, t.name::text, t.active, t.created_at, s.plan::text,"
            " s.trial_started, (SELECT count(*) FROM (SELECT FROM accounts_user u"
            " WHERE u.tenant_id = t.id LIMIT 10001) counted)"
            " FROM (SELECT * FROM (SELECT id, slug, name, active, created_at FROM tenants_tenant"
            f" WHERE NOT platform AND {AS_OPERATOR} AND (wanted IS NULL OR id = wanted)"
            " AND (beginning = '' OR starts_with(slug, beginning)"
            " OR starts_with(lower(name), beginning) OR EXISTS (SELECT FROM tenants_domain d"
            " WHERE d.tenant_id = tenants_tenant.id AND starts_with(d.name, beginning)))"
            " AND (after = '' OR slug > after) AND (before = '' OR slug < before)) found"
            " ORDER BY CASE WHEN before = '' THEN slug END,"
            " CASE WHEN before <> '' THEN slug END DESC LIMIT size) t"
            " LEFT JOIN tenants_subscription s ON s.tenant_id = t.id ORDER BY t.slug",
            {
                "tenants_tenant": ["id", "slug", "name", "active", "created_at", "platform"],
                "tenants_subscription": ["tenant_id", "plan", "trial_started"],
                "tenants_domain": ["tenant_id", "name"],
                "accounts_user": ["tenant_id"],
            },
        ),
        tenants.ops.LookupFunction(
            "sspr_operator_owner",
            "kind text, value text",
            "TABLE (tenant uuid, short_name text)",
            "SELECT t.id, t.slug::text FROM tenants_tenant t"
            f" WHERE {AS_OPERATOR} AND ((kind = 'slug' AND t.slug = value)"
            " OR (kind = 'domain' AND EXISTS (SELECT FROM tenants_domain d"
            " WHERE d.tenant_id = t.id AND d.name = value))"
            " OR (kind = 'host' AND EXISTS (SELECT FROM tenants_host h"
            " WHERE h.tenant_id = t.id AND h.name = value))) LIMIT 1",
            {"tenants_host": ["tenant_id", "name"]},
        ),
        tenants.ops.LookupFunction(
            "sspr_operator_backlog",
            "moment timestamptz",
            "TABLE (queue text, waiting bigint, oldest timestamptz)",
            "SELECT q.* FROM (SELECT 'messages', count(*), min(due_at) FROM notifications_message"
            " WHERE state = 'queued' AND due_at <= moment"
            " UNION ALL SELECT 'audit', count(*), min(created_at) FROM tenants_auditpending"
            " UNION ALL SELECT 'counters', count(*), min(ends_at) FROM tenants_counter"
            f" WHERE ends_at < moment) q WHERE {AS_OPERATOR}",
            {
                "notifications_message": ["tenant_id", "state", "due_at"],
                "tenants_auditpending": ["tenant_id", "created_at"],
                "tenants_counter": ["tenant_id", "ends_at"],
            },
        ),
        tenants.ops.LookupFunction(
            "sspr_operator_numbers",
            "wanted uuid",
            "TABLE (people bigint, disabled bigint, messages bigint, unsealed bigint)",
            "SELECT (SELECT count(*) FROM (SELECT FROM accounts_user WHERE tenant_id = wanted"
            " LIMIT 100001) a), (SELECT count(*) FROM (SELECT FROM accounts_user"
            " WHERE tenant_id = wanted AND NOT is_active LIMIT 100001) b),"
            " (SELECT count(*) FROM notifications_message"
            " WHERE tenant_id = wanted AND state = 'queued'),"
            " (SELECT count(*) FROM tenants_auditpending WHERE tenant_id = wanted)"
            f" WHERE {AS_OPERATOR}",
            {"accounts_user": ["tenant_id", "is_active"]},
        ),
    ]
