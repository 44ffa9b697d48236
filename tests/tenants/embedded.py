"""Run as a program with DATABASE_URL on SQLite: the statements that are written by hand, tried on
the embedded database. Prints a JSON object of what went wrong by name; nothing wrong is ""."""

import json
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import django
import pytest
from django.core.management import call_command

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def counters_count() -> None:
    from tenants.counters import Blocked, Count, count_down, count_up, find_block, forget
    from tenants.limits import LIMITS
    from tenants.models import Counter

    limit, shared = LIMITS["failed_method"], LIMITS["mails_to_mailbox"]
    both = [Count(limit, "alice"), Count(shared, "alice")]
    with acme.inside():
        counted = [count_up(both, NOW) for _ in range(6)]
        assert [each.blocked is None for each in counted] == [True] * 5 + [False]
        end = Blocked(limit, NOW + timedelta(hours=24))
        assert counted[4].used_up == counted[5].blocked == find_block(both, NOW) == end
        assert find_block(both, end.until) is None
        count_down(both)
        count_down(both)
        assert find_block(both, NOW) is None
        assert count_up(both, NOW + timedelta(hours=1)).blocked is None
        assert Counter.objects.get().count == 1
        assert Counter.objects.get().counted_at == NOW + timedelta(hours=1)
        forget(both)
        assert not Counter.objects.exists()
    with beta.inside():
        assert count_up(both, NOW).blocked is None


def ended_counters_are_forgotten() -> None:
    from tenants.counters import Count, count_up
    from tenants.forgetting import KEPT_FOR, forget_ended
    from tenants.limits import LIMITS
    from tenants.models import Counter

    old, long_ago = LIMITS["help_requests"], NOW - timedelta(days=300)
    for place in (acme, beta):
        with place.inside():
            count_up([Count(old, "old")], long_ago)
            count_up([Count(old, "new")], NOW)
    assert forget_ended(long_ago + old.window + KEPT_FOR) == 2
    with acme.inside():
        assert [row.counted_at for row in Counter.objects.filter(limit=old.name)] == [NOW]


def racers_are_counted_one_by_one() -> None:
    from django.db import connection

    from tenants.counters import Count, count_up
    from tenants.limits import LIMITS

    allowed: list[bool] = []

    def try_once() -> None:
        with acme.inside():
            counted = count_up([Count(LIMITS["phone_sends"], "alice")], NOW)
        allowed.append(counted.blocked is None)
        connection.close()

    threads = [threading.Thread(target=try_once) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True] * 5


def lookups_find() -> None:
    from accounts.models import User
    from tenants.lookup import (
        find_tenant,
        platform_id,
        tenant_ids,
        tenants_of_guest,
        tenants_with_messages,
        tenants_with_unsealed,
        tenants_with_work,
    )
    from tenants.models import Tenant
    from tenants.services import get_platform

    platform = get_platform()
    assert platform_id() == platform == get_platform()
    assert tenant_ids() == [acme.id, beta.id]
    names = ({"slug": "acme"}, {"domain": "Acme.example"}, {"host": "ACME.sspr.test"})
    for name in names:
        assert find_tenant(**name) == acme.id
    assert find_tenant(host="nobody.example") is None
    with acme.inside():
        lookup = bytes(User.objects.get(pk=acme.gina.pk).guest_lookup or b"")
        Tenant.objects.update(active=False)
    assert tenants_of_guest(lookup) == [acme.id]
    assert tenants_of_guest(bytes(32)) == []
    for name in names:
        assert find_tenant(**name) is None, name
    with acme.inside():
        Tenant.objects.update(active=True)
    assert tenants_with_messages(NOW) == []
    assert tenants_with_unsealed() == []
    assert tenants_with_work(("messages", "audit"), NOW) == {"messages": [], "audit": []}


def the_audit_trail_is_only_added_to() -> None:
    from django.db import DatabaseError, transaction

    from tenants.audit import Party, record
    from tenants.audit_chain import seal_pending, verify
    from tenants.lookup import tenants_with_unsealed, tenants_with_work
    from tenants.models import AuditEvent, AuditPending, AuditSeal

    with acme.inside():
        record("flow.cancelled", actor=Party("user", acme.alice.pk, "alice"), now=NOW)
        assert AuditPending.objects.get().event_id == AuditEvent.objects.get().pk
        assert AuditPending.objects.get().created_at == NOW
    assert tenants_with_unsealed() == [acme.id]
    assert tenants_with_work(["audit"], NOW) == {"audit": [acme.id]}
    assert seal_pending(NOW) == 1
    with acme.inside():
        assert verify().intact
        for model in (AuditSeal, AuditEvent):
            with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
                model.objects.update(id=acme.id)
            with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
                model.objects.all()._raw_delete("default")


def operators_see_organisations_and_what_waits() -> None:
    from tenants.operator.directory import (
        backlog,
        directory_numbers,
        find_listed,
        find_owner,
        numbers_of,
        page_of,
    )
    from writeback.models import Connector, WritebackJob

    assert [row.slug for row in page_of("").rows] == ["acme", "beta"]
    assert [row.slug for row in page_of("acme.ex").rows] == ["acme"]
    assert [row.slug for row in page_of("", after="acme").rows] == ["beta"]
    assert [row.slug for row in page_of("", before="beta").rows] == ["acme"]
    assert page_of("%").rows == ()
    listed = find_listed(acme.id)
    assert listed is not None
    assert (listed.id, listed.plan, listed.active, listed.people) == (acme.id, "p1", True, 9)
    assert listed.created_at.tzinfo is not None
    assert find_owner("domain", beta.domain) == (beta.id, "beta")
    assert find_owner("host", "nobody.example") is None
    assert numbers_of(acme.id).disabled == 1
    assert {each.queue for each in backlog(NOW)} == {"messages", "audit", "counters"}
    with acme.inside():
        made = Connector.objects.create(name="a", kind="scim", seen_state="healthy")
        job = {"connector": made, "sequence": 1, "evidence": bytes(32), "expires_at": NOW}
        job |= {"created_at": NOW, "purpose": "describe", "operation": "describe"}
        WritebackJob.objects.create(**job, origin=acme.id)
        WritebackJob.objects.create(
            **job, origin=beta.id, state="done", outcome="failed", finished_at=NOW
        )
    found = directory_numbers(NOW - timedelta(hours=1))
    assert (found.all, found.states, found.outcomes) == (1, {"healthy": 1}, {"failed": 1})
    assert [(name, each.waiting) for name, each in found.jobs.items()] == [("unsigned", 1)]
    assert found.jobs["unsigned"].oldest == NOW
    assert directory_numbers(NOW).outcomes == {}
    with acme.inside():
        made.delete()


def groups_count_nested() -> None:
    from accounts.groups import is_in_group
    from tests.cast import make_group

    with acme.inside():
        inner = make_group("inner", members=(acme.alice,))
        outer = make_group("outer", inner=(inner,))
        assert is_in_group(acme.alice.pk, outer.pk)
        assert not is_in_group(acme.bob.pk, outer.pk)


def the_first_wall_stands() -> None:
    from accounts.models import User
    from tenants.checks import refuse_unsafe_start
    from tenants.context import NoTenant

    refuse_unsafe_start()
    with acme.inside():
        assert not User.objects.filter(pk=beta.alice.pk).exists()
    with pytest.raises(NoTenant):
        User.objects.count()


def long_lists_are_read_by_their_index() -> None:
    from uuid import UUID

    from accounts.models import User
    from accounts.search_keys import people_by
    from tenants.admin.paging import Order, Place, read_page
    from tenants.admin.search import first_matches
    from tenants.models import AuditEvent

    order = Order(("created_at", "id"), descending=True)
    with acme.inside():
        for rows in (AuditEvent.objects.all(), AuditEvent.objects.filter(type="x", result="y")):
            for place in (Place(), Place((NOW, UUID(int=5))), Place((NOW, UUID(int=5)), True)):
                _is_by_index(partial(read_page, [rows], order, place, 50))
        people = User.objects.order_by("user_id")
        for text in ("adams", "Adams, Ali", "alice@"):
            found, more = first_matches(people, people_by(text), most=10)
            assert [person.user_id for person in found] == [acme.alice.user_id], text
            assert not more
            _is_by_index(partial(first_matches, people, people_by(text), most=10))


def _is_by_index(read: Callable[[], object]) -> None:
    """Explains what `read` asks: no table is gone through, nothing sorted that an index has."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        read()
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            steps = " ".join(row[-1] for row in cursor.fetchall())
        assert "SCAN" not in steps, (steps, query["sql"])


TRIED: tuple[Callable[[], None], ...] = (
    counters_count,
    ended_counters_are_forgotten,
    racers_are_counted_one_by_one,
    lookups_find,
    the_audit_trail_is_only_added_to,
    operators_see_organisations_and_what_waits,
    groups_count_nested,
    the_first_wall_stands,
    long_lists_are_read_by_their_index,
)

if __name__ == "__main__":
    django.setup()
    call_command("migrate", verbosity=0)
    from tests.cast import make_acme, make_beta

    acme, beta = make_acme(), make_beta()
    wrong = {}
    for tried in TRIED:
        try:
            tried()
        except Exception:
            wrong[tried.__name__] = traceback.format_exc()
        else:
            wrong[tried.__name__] = ""
    json.dump(wrong, sys.stdout)
