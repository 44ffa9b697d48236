"""Two who confirm one import, and two imports of the same people, at the same moment."""

from collections import Counter
from collections.abc import Callable

import pytest

from accounts.imports.runs import Confirmed, check, confirm
from accounts.models import ContactPoint
from notifications.models import Message
from tenants.models import AuditEvent
from tests.accounts.imports.files import ALL, MOBILE, csv_of, importer
from tests.cast import Acme
from tests.concurrency.conftest import NOW, all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def confirming(acme: Acme, content: bytes, times: int) -> list[Callable[[], Confirmed]]:
    with acme.inside():
        run = check(content, "people.csv", ALL, importer(acme), NOW)

    def act() -> Confirmed:
        with acme.inside():
            return confirm(run.pk, "all", importer(acme), NOW)

    return [act] * times


def test_of_many_confirmations_exactly_one_applies(acme: Acme) -> None:
    content = csv_of(f"eve@acme.example,{MOBILE}", f"bob@acme.example,{MOBILE}")

    answers = all_at_once(confirming(acme, content, 8))

    assert Counter(answer.kind for answer in answers) == {"applied": 1, "not_now": 7}
    with acme.inside():
        assert ContactPoint.objects.filter(kind="mobile_phone", user=acme.eve).count() == 1
        assert Message.objects.count() == 2
        assert AuditEvent.objects.filter(type="import.applied").count() == 1


def test_imports_of_the_same_people_in_opposite_order_never_deadlock(acme: Acme) -> None:
    names = ["alice", "bob", "dave", "eve", "oscar"]
    rows = [f"{name}@acme.example,+1 425555018{at}" for at, name in enumerate(names)]
    ways = [rows, rows[::-1], rows, rows[::-1]]
    acts = [act for way in ways for act in confirming(acme, csv_of(*way), 1)]

    answers = all_at_once(acts)

    assert Counter(answer.kind for answer in answers) == {"applied": 1, "changed": 3}
