"""The same questions for SQLite, the embedded database of the demo, which has no functions."""

STATEMENTS = {
    "sspr_operator_tenants": (
        "SELECT t.id, t.slug, t.name, t.active, t.created_at, s.plan, s.trial_started,"
        " (SELECT count(*) FROM accounts_user u WHERE u.tenant_id = t.id)"
        " FROM (SELECT * FROM tenants_tenant o WHERE NOT platform"
        " AND (%(wanted)s IS NULL OR id = %(wanted)s)"
        " AND (substr(slug, 1, length(%(beginning)s)) = %(beginning)s"
        " OR substr(lower(name), 1, length(%(beginning)s)) = %(beginning)s"
        " OR EXISTS (SELECT 1 FROM tenants_domain d WHERE d.tenant_id = o.id"
        " AND substr(d.name, 1, length(%(beginning)s)) = %(beginning)s))"
        " AND (%(after)s = '' OR slug > %(after)s) AND (%(before)s = '' OR slug < %(before)s)"
        " ORDER BY CASE WHEN %(before)s = '' THEN slug END,"
        " CASE WHEN %(before)s <> '' THEN slug END DESC LIMIT %(size)s) t"
        " LEFT JOIN tenants_subscription s ON s.tenant_id = t.id ORDER BY t.slug"
    ),
    "sspr_operator_owner": (
        "SELECT t.id, t.slug FROM tenants_tenant t"
        " WHERE (%(kind)s = 'slug' AND t.slug = %(value)s)"
        " OR (%(kind)s = 'domain' AND t.id IN"
        " (SELECT tenant_id FROM tenants_domain WHERE name = %(value)s))"
        " OR (%(kind)s = 'host' AND t.id IN"
        " (SELECT tenant_id FROM tenants_host WHERE name = %(value)s)) LIMIT 1"
    ),
    "sspr_operator_backlog": (
        "SELECT 'messages', count(*), min(due_at) FROM notifications_message"
        " WHERE state = 'queued' AND due_at <= %(moment)s"
        " UNION ALL SELECT 'audit', count(*), min(created_at) FROM tenants_auditpending"
        " UNION ALL SELECT 'counters', count(*), min(ends_at) FROM tenants_counter"
        " WHERE ends_at < %(moment)s"
    ),
    "sspr_operator_numbers": (
        "SELECT (SELECT count(*) FROM accounts_user WHERE tenant_id = %(wanted)s),"
        " (SELECT count(*) FROM accounts_user WHERE tenant_id = %(wanted)s AND NOT is_active),"
        " (SELECT count(*) FROM notifications_message"
        " WHERE tenant_id = %(wanted)s AND state = 'queued'),"
        " (SELECT count(*) FROM tenants_auditpending WHERE tenant_id = %(wanted)s)"
    ),
    "sspr_operator_directories": (
        "SELECT 'all', '', count(*), NULL FROM writeback_connector"
        " UNION ALL SELECT 'directory', seen_state, count(*), NULL FROM writeback_connector"
        " WHERE enabled AND seen_state <> '' GROUP BY seen_state"
        " UNION ALL SELECT 'open', state, count(*), min(created_at) FROM writeback_writebackjob"
        " WHERE NOT (state = 'done') GROUP BY state"
        " UNION ALL SELECT 'ended', outcome, count(*), NULL FROM writeback_writebackjob"
        " WHERE state = 'done' AND finished_at > %(since)s GROUP BY outcome"
    ),
}
