"""`manage.py explain`: the decision the portal would make, with its reason, as JSON or as text."""

import json
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tests.cast import Acme, Beta, give_app, make_group, make_guest, make_person
from tests.resets.conftest import NOW
from tests.resets.visitor import Clock, Visitor
from tests.resets.walks import set_policy, set_tenant, set_user, suspend, wrong_code

KEYS = {
    "user_id",
    "tenant",
    "known",
    "allowed",
    "reason",
    "operations",
    "gates_required",
    "policy",
    "methods",
    "registered",
    "counted",
    "writeback",
    "next_step",
    "notes",
}
BEYOND = {"home_reason", "until"}
AT = NOW.isoformat()


def explain(user_id: str, *options: str, at: datetime = NOW) -> dict[str, Any]:
    out = StringIO()
    call_command("explain", user_id, "--json", "--at", at.isoformat(), *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    assert set(answer) == KEYS | BEYOND
    return answer


def test_somebody_who_may_reset(acme: Acme) -> None:
    assert explain("alice@acme.example") == {
        "user_id": "alice@acme.example",
        "tenant": "acme",
        "known": True,
        "allowed": True,
        "reason": None,
        "home_reason": None,
        "operations": ["reset"],
        "gates_required": 2,
        "policy": "tenant",
        "methods": [
            "app_code",
            "mobile_phone",
            "office_phone",
            "email",
            "security_questions",
        ],
        "registered": [
            "app_code",
            "mobile_phone",
            "office_phone",
            "email",
            "security_questions",
        ],
        "counted": 5,
        "writeback": None,
        "next_step": "prove_identity",
        "until": None,
        "notes": [],
    }


@pytest.mark.parametrize(
    ("who", "reason", "step"),
    [
        ("bob@acme.example", None, "prove_identity"),
        ("carol@acme.example", None, "prove_identity"),
        ("dave@acme.example", "disabled", "contact_administrator"),
        ("eve@acme.example", "SSPR_0014", "contact_administrator"),
        ("oscar@acme.example", "SSPR_0012", "contact_administrator"),
        ("gina@beta.example", "unknown_user", "contact_administrator"),
        ("gina_beta.example#EXT#@acme.example", "home_tenant", "contact_administrator"),
        ("iris@example.org", None, "prove_identity"),
        ("petra@mail.example", "personal_account", "use_own_service"),
        ("nobody@acme.example", "unknown_user", "contact_administrator"),
    ],
)
def test_each_of_the_cast_gets_their_reason(
    acme: Acme, beta: Beta, who: str, reason: str | None, step: str
) -> None:
    answer = explain(who)

    assert (answer["reason"], answer["allowed"]) == (reason, reason is None)
    assert answer["next_step"] == step
    assert answer["known"] is (reason != "unknown_user")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"enabled": "none"}, "SSPR_0009"),
        ({"enabled": "selected", "group": None}, "SSPR_0011"),
        ({"methods_required": 3, "methods": ["email", "app_code"]}, "SSPR_0014"),
        ({"require_licence": False}, None),
    ],
)
def test_the_policy_decides(acme: Acme, fields: dict[str, Any], reason: str | None) -> None:
    set_policy(acme, **fields)

    assert explain("bob@acme.example")["reason"] == reason
    assert explain("carol@acme.example")["reason"] is None


def test_groups_inside_the_selected_group_count(acme: Acme) -> None:
    with acme.inside():
        inner = make_group("inner", (acme.bob,))
        outer = make_group("outer", (), (make_group("middle", (), (inner,)),))
    set_policy(acme, enabled="selected", group=outer)

    assert explain("bob@acme.example")["reason"] is None
    assert explain("alice@acme.example")["reason"] == "SSPR_0013"


def test_people_of_a_directory_that_is_not_connected_are_told_so(acme: Acme) -> None:
    set_user(acme, acme.bob, source="federated")
    off = explain("bob@acme.example")
    set_policy(acme, writeback=True)
    on = explain("bob@acme.example")

    assert (off["reason"], off["writeback"]) == ("SSPR_0010", "not_configured")
    assert (on["reason"], on["next_step"]) == ("SSPR_0029", "contact_administrator")


def test_administrators_are_judged_by_their_own_policy(acme: Acme) -> None:
    set_policy(acme, methods_required=1)

    answer = explain("carol@acme.example")
    set_policy(acme, admins_may_reset=False)

    assert (answer["policy"], answer["gates_required"]) == ("administrator", 2)
    assert explain("carol@acme.example")["reason"] == "admins_may_not_reset"


def test_a_lock_is_named_with_the_time_it_ends(acme: Acme, visitor: Visitor) -> None:
    visitor.start(acme.bob.user_id)
    for _ in range(5):
        wrong_code(visitor)

    answer = explain("bob@acme.example")
    later = explain("bob@acme.example", at=NOW + timedelta(hours=24, seconds=1))

    assert (answer["reason"], answer["next_step"]) == ("locked_out", "wait")
    assert answer["until"] == (NOW + timedelta(hours=24)).isoformat()
    assert answer["until"] in " ".join(answer["notes"])
    assert (later["reason"], later["until"]) == (None, None)


def test_a_lock_by_many_journeys_is_named_too(acme: Acme) -> None:
    from accounts.person_key import person_key

    with acme.inside():
        key = person_key("bob@acme.example").hex()
        for _ in range(5):
            count_up([Count(LIMITS["reset_attempts"], key)], NOW)

    assert explain("bob@acme.example")["reason"] == "locked_out"


def test_another_time_can_be_asked_about(acme: Acme) -> None:
    with acme.inside():
        acme.subscription.trial_started = date(2026, 11, 1)
        acme.subscription.save()

    inside = explain("carol@acme.example", at=NOW)
    after = explain("carol@acme.example", at=datetime(2026, 12, 1, tzinfo=NOW.tzinfo))

    assert (inside["gates_required"], after["gates_required"]) == (1, 2)


@pytest.mark.parametrize("text", ["2026-11-20", "2026-11-20T09:30:00Z", "2026-11-20 09:30"])
def test_times_are_written_in_the_usual_ways(acme: Acme, text: str) -> None:
    call_command("explain", "bob@acme.example", "--at", text, stdout=StringIO())


@pytest.mark.parametrize("text", ["now", "20.11.2026", "2026-13-01", "2026-02-30", "25:00"])
def test_a_time_that_is_none_ends_with_two(acme: Acme, text: str) -> None:
    with pytest.raises(CommandError, match="--at takes a time") as failed:
        call_command("explain", "bob@acme.example", "--at", text, stdout=StringIO())

    assert failed.value.returncode == 2


def test_somebody_of_an_unknown_domain_is_unknown_without_a_tenant(acme: Acme) -> None:
    for user_id in ("x@nowhere.example", "no at sign", "", "b\u043eb@nowhere.example"):
        answer = explain(user_id)
        assert (answer["tenant"], answer["reason"], answer["known"]) == (
            None,
            "unknown_user",
            False,
        )
        assert answer["user_id"] == user_id


def test_a_guest_whom_several_tenants_know_needs_the_tenants_name(acme: Acme, beta: Beta) -> None:
    with beta.inside():
        make_guest("iris@example.org", beta.domain, "personal")

    with pytest.raises(CommandError, match="--tenant with one of: acme, beta") as failed:
        explain("iris@example.org")

    assert failed.value.returncode == 2
    assert explain("iris@example.org", "--tenant", "acme")["reason"] is None
    assert explain("iris@example.org", "--tenant", "beta")["reason"] == "personal_account"


def test_a_tenant_that_does_not_exist_ends_with_two(acme: Acme) -> None:
    with pytest.raises(CommandError, match="there is no tenant gamma") as failed:
        explain("bob@acme.example", "--tenant", "gamma")

    assert failed.value.returncode == 2


def test_another_tenants_people_are_unknown_in_this_one(acme: Acme, beta: Beta) -> None:
    assert explain("alice@beta.example", "--tenant", "acme")["known"] is False


def test_a_partner_is_explained_with_the_home_tenants_own_reason(acme: Acme, beta: Beta) -> None:
    with beta.inside():
        gina = make_person("gina", beta.domain, licence=beta.subscription)
        give_app(gina)
    set_policy(beta, methods_required=1)
    guest = "gina_beta.example#EXT#@acme.example"

    may = explain(guest)
    set_user(beta, gina, is_active=False)
    may_not = explain(guest)

    assert (may["allowed"], may["policy"], may["tenant"]) == (True, "home_tenant", "acme")
    assert may["methods"] == ["app_code"]
    assert (may_not["reason"], may_not["home_reason"]) == ("home_tenant", "disabled")
    assert "The home tenant refuses: disabled." in may_not["notes"]


def test_a_partner_whose_home_is_not_here_is_explained(acme: Acme) -> None:
    answer = explain("gina_beta.example#EXT#@acme.example")

    assert (answer["reason"], answer["home_reason"]) == ("home_tenant", None)


def test_nobody_is_found_in_a_suspended_tenant(acme: Acme) -> None:
    suspend(acme)

    assert explain("bob@acme.example")["reason"] == "unknown_user"


def test_a_frozen_account_is_named_as_such(acme: Acme) -> None:
    set_user(acme, acme.bob, frozen_at=NOW)

    answer = explain("bob@acme.example")

    assert answer["reason"] == "disabled"
    assert 'Frozen by a "this was not me" report.' in answer["notes"]


@pytest.mark.parametrize("disclosure", ["guided", "concealed"])
def test_explaining_changes_nothing(acme: Acme, disclosure: str) -> None:
    from tenants.models import Counter

    set_tenant(acme, disclosure=disclosure)
    explain("bob@acme.example")

    with acme.inside():
        assert not Counter.objects.exists()


def test_the_portal_decides_as_explained(acme: Acme, clock: Clock) -> None:
    for user_id in ("alice@acme.example", "dave@acme.example", "petra@mail.example"):
        page = Visitor(acme.host, clock).start(user_id)
        assert (page.state == "proving") is explain(user_id)["allowed"]


def test_without_json_it_is_a_list_of_lines(acme: Acme) -> None:
    out = StringIO()
    call_command("explain", "eve@acme.example", "--at", AT, stdout=out)

    lines = dict(line.split(maxsplit=1) for line in out.getvalue().splitlines())
    assert lines["reason"] == "SSPR_0014"
    assert lines["methods"] == "-"
    assert set(lines) == KEYS | BEYOND
