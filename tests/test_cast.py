"""The cast is what its description says, so that the other tests can rely on it."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.methods.base import Answer, Asked, MethodContext
from accounts.methods.registry import get_method
from accounts.people import belongings_of, find_user
from resets.facts import assess, read_situation
from tenants.context import find_current_tenant
from tenants.lookup import find_tenant
from tenants.secret import Secret
from tests.cast import CANARY, PASSWORD, QUESTIONS, Acme, Beta, app_code

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_each_of_acme_is_the_case_they_stand_for(acme: Acme) -> None:
    cast = ("alice", "bob", "carol", "dave", "eve", "oscar", "gina", "iris", "petra")
    with acme.inside():
        situation = read_situation(NOW)
        reasons = {
            name: assess(situation, belongings_of(getattr(acme, name))).decision.reason
            for name in cast
        }

    assert reasons["alice"] == reasons["bob"] == reasons["carol"] == reasons["iris"]
    assert not reasons["alice"]
    assert reasons["dave"] == "disabled"
    assert reasons["eve"] == "SSPR_0014"
    assert reasons["oscar"] == "SSPR_0012"
    assert reasons["gina"] == "home_tenant"
    assert reasons["petra"] == "personal_account"


def test_alice_proves_herself_with_what_she_registered(acme: Acme) -> None:
    context = MethodContext(NOW, frozenset({acme.domain}), 3, ())
    with acme.inside():
        own = belongings_of(acme.alice)
        asked = Asked(b"n" * 16, b"x", tuple(QUESTIONS))
        answers = tuple(Secret(text) for text in QUESTIONS.values())
        code = Answer(code=Secret(app_code(acme.alice, NOW)))

        assert acme.alice.check_password(PASSWORD)
        assert get_method("app_code").verify(own, asked, code, context).right
        assert (
            get_method("security_questions")
            .verify(own, asked, Answer(answers=answers), context)
            .right
        )
        assert set(own.contacts) == {"alternate_email", "mobile_phone", "office_phone"}


def test_the_two_tenants_stand_beside_each_other(acme: Acme, beta: Beta) -> None:
    assert find_tenant(host=acme.host) == find_tenant(domain=acme.domain) == acme.id
    assert find_tenant(slug="beta") == beta.id != acme.id
    assert find_current_tenant() is None
    with beta.inside():
        assert find_user("alice@beta.example") == beta.alice
        assert find_user("alice@acme.example") is None
        assert CANARY in beta.tenant.name
        assert CANARY in str(beta.alice)
    with acme.inside():
        assert find_user("gina@beta.example") == acme.gina


@pytest.mark.django_db(transaction=True)
def test_the_cast_is_committed_where_the_test_commits(acme: Acme) -> None:
    assert not connection.in_atomic_block
    with acme.inside():
        # The first statement takes the sentence along that tells the tenant.
        acme.tenant.refresh_from_db()
        with CaptureQueriesContext(connection) as queries:
            acme.alice.refresh_from_db()

    assert len(queries) == 1
