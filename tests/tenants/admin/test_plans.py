"""No list, page or search of the administration reads a whole table (performance, P17 to P21)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.admin import UserAdmin
from tenants.context import tenant_context
from tests.plans import nodes_of
from tests.services.session import database, shared_cluster
from tests.tenants.admin.cast import House, canary, contoso, signed_in

ROWS = 20_000
LONG = "accounts_user|tenants_auditevent|resets_flow|notifications_message"
MOST_STATEMENTS = 18
PAGES = (
    "accounts/user/",
    "accounts/user/?before=end",
    "accounts/user/?after=p15000@contoso.example",
    "accounts/user/?enabled=no",
    "accounts/user/?kind=guest",
    "accounts/user/?roles=any",
    "accounts/user/?q=p7",
    "accounts/user/?q=c4c",
    "accounts/user/?q=bob+c4c",
    "accounts/user/?q=c4c,+bob",
    "accounts/user/?q=nobody@contoso.example",
    "accounts/user/?q={reference}",
    "tenants/auditevent/",
    "tenants/auditevent/?before=end",
    "tenants/auditevent/?after={middle}",
    "tenants/auditevent/?before={middle}",
    "tenants/auditevent/?days=7",
    "tenants/auditevent/?result=denied",
    "tenants/auditevent/?type=password.reset",
    "tenants/auditevent/?type=help.requested",
    "tenants/auditevent/?type=flow.started&result=denied",
    "tenants/auditevent/?q=p7@contoso.example",
    "tenants/auditevent/?q=p7",
    "tenants/auditevent/?q={reference}",
    "resets/flow/",
    "resets/flow/?before=end",
    "resets/flow/?state=cancelled",
    "resets/flow/?locked=now",
    "resets/flow/?q=p7@contoso.example",
    "resets/flow/?q={reference}",
    "notifications/message/",
    "notifications/message/?before=end",
    "notifications/message/?state=failed",
    "notifications/message/?state=queued",
    "notifications/message/?kind=account_frozen",
    "notifications/message/?channel=voice",
    "notifications/message/?q=p7@contoso.example",
    "notifications/message/?q={reference}",
)
_PEOPLE = """
INSERT INTO accounts_user (id, tenant_id, password, user_id, display_name, given_name, surname,
    kind, is_active, roles, source, language, origin, home, session_epoch, disabled_methods,
    must_change_password, created_at)
SELECT md5('p'||n||%(tenant)s::text)::uuid, %(tenant)s, '!', 'p'||n||'@'||%(domain)s, g||' '||s, g,
    s, CASE WHEN n %% 5000 = 1 THEN 'guest' ELSE 'member' END, n %% 4000 <> 1, '[]', 'cloud', '',
    '', '', 0, '[]', false, now()
FROM (SELECT n, (ARRAY['Alice','Bob','Carol'])[1 + n %% 3] g,
      initcap(substr(md5((n %% 5000)::text), 1, 7)) s FROM generate_series(1, %(rows)s) n) made
"""
_EVENTS = """
INSERT INTO tenants_auditevent (id, tenant_id, type, activity, result, reason, actor_kind,
    actor_label, target_kind, target_label, correlation_id, reference, address, data, created_at)
SELECT gen_random_uuid(), %(tenant)s,
    (ARRAY['flow.started','flow.verification_sent','password.reset'])[1 + n %% 3], 'x',
    CASE WHEN n %% 50 = 0 THEN 'failure' ELSE 'success' END, '', 'user', 'p'||n/10||'@'||%(domain)s,
    'user', 'p'||n/10||'@'||%(domain)s, md5('f'||n/10||%(tenant)s::text)::uuid, 'R'||n/10, '',
    '{}', timestamptz '2026-01-01' + n * interval '20 minutes'
FROM generate_series(1, %(rows)s) n
"""
_FLOWS = """
INSERT INTO resets_flow (id, tenant_id, secret_hash, reference, user_id, person_key, user_id_typed,
    operation, state, reason, policy, policy_version, gates_required, methods, concealed, language,
    address, site, tries, attempted, attempts, started_at, expires_at)
SELECT md5('f'||n||%(tenant)s::text)::uuid, %(tenant)s, '', 'R'||n,
    md5('p'||n||%(tenant)s::text)::uuid, '', '', 'reset',
    CASE WHEN n %% 9 = 0 THEN 'refused' WHEN n %% 900 = 1 THEN 'locked' ELSE 'done' END, '',
    'tenant', 1, 1, '[]', false, 'en', '', '', 0, false, 0, moment, moment
FROM (SELECT n, timestamptz '2026-01-01' + n * interval '20 minutes' moment
      FROM generate_series(1, %(rows)s) n) made
"""
_MESSAGES = """
INSERT INTO notifications_message (id, tenant_id, kind, channel, recipient, language, context,
    reference, correlation_id, state, attempts, due_at, expires_at, error, provider_id, created_at)
SELECT gen_random_uuid(), %(tenant)s, (ARRAY['code','password_changed'])[1 + n %% 2],
    (ARRAY['email','sms'])[1 + n %% 2], '', 'en', '', 'R'||n/2,
    md5('f'||n/2||%(tenant)s::text)::uuid, CASE WHEN n %% 900 = 1 THEN 'failed' ELSE 'sent' END, 1,
    now(), now(), '', '', timestamptz '2026-01-01' + n * interval '10 minutes'
FROM generate_series(1, %(rows)s) n
"""


@dataclass(frozen=True)
class Seen:
    """What a page asked of the database: statements, and the worst plan of each long table; rows
    that its plans took from tables, and blocks they touched."""

    statements: int
    faults: list[str]
    rows: int
    blocks: int


@pytest.fixture
def own(transactional_db: None) -> House:
    """A tenant with 20,000 people, events, journeys and messages beside a small one, analysed."""
    house = contoso()
    both = ((house, "contoso.example", ROWS), (canary(), "beta.example", ROWS // 20))
    with shared_cluster().connect(database()) as made:
        made.execute("SET session_replication_role = replica")
        for each, domain, rows in both:
            values = {"tenant": each.tenant, "domain": domain, "rows": rows}
            for statement in (_PEOPLE, _EVENTS, _FLOWS, _MESSAGES):
                made.execute(statement, values)
        for table in LONG.split("|"):
            made.execute(f"ANALYZE {table}")
    return house


@pytest.fixture(autouse=True)
def _standing_clock() -> Iterator[None]:
    """A session in use is written once a minute, which would count for the page of that moment."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


def pages_of(house: House) -> Iterator[str]:
    middle = "1780272000000000~" + UUID(int=0).hex  # 2026-06-01
    for page in PAGES:
        yield page.format(reference=house.reference, middle=middle)


def look(client: Client, house: House, page: str) -> Seen:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/admin/{page}").status_code == 200, page
    asked = [query["sql"] for query in captured.captured_queries]
    faults: list[str] = []
    rows = blocks = 0
    with tenant_context(house.tenant), connection.cursor() as cursor:
        for statement in asked:
            if re.match(r"\(?SELECT", statement) and re.search(LONG, statement):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}")
                [[plan]] = cursor.fetchall()
                faults += [f"{page}: {fault}: {statement[-300:]}" for fault in faults_of(plan)]
                top, *inner = nodes_of(plan)
                blocks += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
                taken = [node for node in (top, *inner) if "Relation Name" in node]
                rows += sum(node["Actual Rows"] * node["Actual Loops"] for node in taken)
    return Seen(len(asked), faults, rows, blocks)


def faults_of(plan: object) -> Iterator[str]:
    """Long tables that are read whole, and rows that were read to be thrown away."""
    for node in nodes_of(plan):
        if "Seq Scan" in node["Node Type"] and re.fullmatch(LONG, node["Relation Name"]):
            yield f"sequential scan of {node['Relation Name']}"
        thrown = node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
        if thrown > ROWS // 40:
            yield f"{thrown} rows of {node.get('Relation Name')} read in vain"


def test_no_page_reads_a_table_whole(own: House) -> None:
    client = signed_in(own.admin)

    seen = {page: look(client, own, page) for page in pages_of(own)}

    faults = [fault for each in seen.values() for fault in each.faults]
    assert not faults, "\n".join(faults)
    assert {page: each.statements for page, each in seen.items()} == {
        page: min(each.statements, MOST_STATEMENTS) for page, each in seen.items()
    }
    with tenant_context(own.tenant), connection.cursor() as cursor:
        like = "SELECT * FROM accounts_user WHERE surname LIKE 'C4c%' LIMIT 101"
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {like}")
        [[plan]] = cursor.fetchall()
    assert list(faults_of(plan)) != [], "a search that no index serves is not noticed"


def test_a_search_reads_what_it_shows_however_many_it_would_find(own: House) -> None:
    client = signed_in(own.admin)
    ways, shown = 4, UserAdmin.most_found
    client.get("/admin/accounts/user/")

    none = look(client, own, "accounts/user/?q=qqzzqq")
    by_user_id = look(client, own, "accounts/user/?q=p1")
    by_name = look(client, own, "accounts/user/?q=alice")

    text = client.get("/admin/accounts/user/?q=alice").content.decode()
    assert text.count("@contoso.example</a>") == shown, "there are 6,667 of them"
    assert {none.statements, by_user_id.statements} == {by_name.statements}
    for seen in (none, by_user_id, by_name):
        assert seen.rows <= ways * (shown + 1) + 1
        assert seen.blocks <= ways * (shown + 1) + 30
