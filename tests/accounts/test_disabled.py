"""Methods that are disabled after too many failures in a row, and how they come back."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts.disabled import disable_method, enable_methods
from accounts.models import User
from accounts.person_key import person_key
from tenants.audit import Party
from tenants.counters import Count, count_up, find_block
from tenants.limits import LIMITS
from tests.cast import PASSWORD, Acme
from tests.resets.visitor import trail, types

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DESK = Party("administrator", None, "helpdesk")


def _streak(user: User, times: int) -> Count:
    count = Count(LIMITS["failed_in_a_row"], f"{person_key(user.user_id).hex()}:app_code")
    for _ in range(times):
        count_up([count], NOW)
    return count


def test_a_method_is_disabled_once_and_enabled_once(acme: Acme) -> None:
    with acme.inside():
        for _ in range(2):
            disable_method(acme.bob, "app_code", failures=100, now=NOW)
        assert User.objects.get(pk=acme.bob.pk).disabled_methods == ["app_code"]
        for _ in range(2):
            enable_methods(acme.bob, DESK, now=NOW)
        assert User.objects.get(pk=acme.bob.pk).disabled_methods == []

    disabled, enabled = trail(acme, type__startswith="method.")
    assert types([disabled, enabled]) == ["method.disabled", "method.enabled"]
    assert (disabled.data, enabled.data) == (
        {"method": "app_code", "failures": 100},
        {"methods": ["app_code"]},
    )
    assert enabled.target_id == acme.bob.pk


def test_enabling_starts_the_count_afresh(acme: Acme) -> None:
    with acme.inside():
        streak = _streak(acme.bob, 100)
        assert find_block([streak], NOW) is not None
        disable_method(acme.bob, "app_code", failures=100, now=NOW)

        enable_methods(acme.bob, DESK, now=NOW)

        assert find_block([streak], NOW) is None


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_signing_in_gives_the_methods_back_and_a_wrong_password_does_not(
    acme: Acme, client: Client, password: str
) -> None:
    with acme.inside():
        disable_method(acme.carol, "app_code", failures=100, now=NOW)

    fields = {"user_id": acme.carol.user_id, "password": password}
    client.post("/admin/login/", fields, headers={"host": acme.host})

    with acme.inside():
        left = User.objects.get(pk=acme.carol.pk).disabled_methods
    assert left == ([] if password == PASSWORD else ["app_code"])
