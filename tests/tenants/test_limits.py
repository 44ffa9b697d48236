"""The table of throttles: a tenant tightens, never loosens."""

from datetime import timedelta

import pytest

from tenants import limits
from tenants.limits import LIMITS, TIGHTENABLE, limit_for, limit_problem

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
NONE = timedelta(0)
# Written out a second time on purpose: a throttle that is loosened by accident has to be so twice.
TABLE = {
    "failed_proofs": ("person", 5, DAY, DAY, ""),
    "failed_method": ("method", 5, HOUR, DAY, ""),
    "failed_in_a_row": ("method", 100, timedelta(days=3650), NONE, "counts streak"),
    "phone_sends": ("person", 5, HOUR, DAY, ""),
    "email_sends": ("person", 10, timedelta(minutes=10), DAY, ""),
    "reset_attempts": ("person", 5, HOUR, DAY, ""),
    "starts_by_person": ("person", 30, DAY, NONE, ""),
    "starts_by_address": ("address", 20, timedelta(minutes=1), NONE, "shared"),
    "starts_by_address_hour": ("address", 100, HOUR, NONE, "shared"),
    "people_by_address": ("address", 30, HOUR, NONE, "shared"),
    "person_at_address": ("address", 1, HOUR, NONE, "shared"),
    "failed_by_address": ("address", 60, HOUR, NONE, "shared"),
    "calls_to_number": ("destination", 5, DAY, NONE, "shared"),
    "mails_to_mailbox": ("destination", 10, HOUR, NONE, "shared"),
    "sends_to_prefix": ("prefix", 10, HOUR, NONE, "shared"),
    "failed_in_tenant": ("tenant", 300, HOUR, HOUR, "counts"),
    "alarms": ("alarm", 1, HOUR, NONE, ""),
    "repeated_answers": ("alarm", 5, timedelta(minutes=15), NONE, ""),
    "blocked_notices": ("alarm", 1, DAY, NONE, ""),
    "hints": ("person", 1, DAY, NONE, ""),
    "help_requests": ("person", 3, HOUR, NONE, ""),
    "help_by_address": ("address", 10, HOUR, NONE, "shared"),
    "admin_sign_in": ("person", 5, timedelta(minutes=15), NONE, ""),
    "admin_sign_in_by_address": ("address", 20, HOUR, NONE, "shared"),
    "sign_ups_by_address": ("address", 20, HOUR, NONE, "shared"),
    "approval_requests": ("person", 3, HOUR, NONE, ""),
    "token_claims": ("person", 5, HOUR, NONE, ""),
    "agent_enrolments": ("address", 20, HOUR, NONE, "shared"),
    "failed_sign_ins_by_address": ("address", 100, HOUR, NONE, "shared"),
    "failed_step_up": ("person", 10, HOUR, HOUR, ""),
    "passkey_challenges": ("alarm", 1, timedelta(minutes=10), NONE, "shared"),
    "passkey_sign_ins_by_address": ("address", 20, HOUR, NONE, "shared"),
    "redirections_by_address": ("address", 60, HOUR, NONE, "shared"),
    "approvals_in_journey": ("journey", 3, timedelta(minutes=15), NONE, ""),
    "approvals": ("person", 5, HOUR, NONE, ""),
    "enrolments_by_address": ("address", 30, HOUR, NONE, "shared"),
}


def test_every_throttle_is_written_out_here() -> None:
    assert set(LIMITS) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_each_throttle_is_as_the_rules_have_it(name: str) -> None:
    limit = LIMITS[name]
    words = {"counts": not limit.blocks, "streak": limit.streak, "shared": limit.shared}

    found = " ".join(word for word, holds in words.items() if holds)
    assert limit.name == name
    assert (limit.scope, limit.count, limit.window, limit.block, found) == TABLE[name]


def test_the_lifetimes_and_sizes_are_as_the_rules_have_them() -> None:
    lifetimes = {
        limits.FLOW_LIFETIME: timedelta(minutes=15),
        limits.CODE_LIFETIME: timedelta(minutes=5),
        limits.CAPTCHA_LIFETIME: timedelta(seconds=120),
        limits.TICKET_WAIT: timedelta(seconds=3),
        limits.HARD_TICKET_WAIT: timedelta(seconds=30),
    }
    assert [found for found, wanted in lifetimes.items() if found != wanted] == []
    tries = (limits.TRIES_PER_CHALLENGE, limits.TRIES_PER_FLOW, limits.SENDS_PER_CHALLENGE)
    assert tries == (5, 10, 3)
    assert [gap.total_seconds() for gap in limits.RESEND_GAPS] == [30, 60, 120]
    assert (limits.MAX_BODY_BYTES, limits.MAX_FIELDS) == (65_536, 20)
    texts = (limits.MAX_USER_ID, limits.MAX_CODE, limits.MAX_ANSWER, limits.MAX_CONTACT)
    assert (*texts, limits.MAX_PASSWORD) == (113, 16, 40, 320, 256)
    assert limits.MAX_ASSERTION == 4096


def test_a_tenant_may_tighten_what_is_its_own_but_no_alarm() -> None:
    assert set(TIGHTENABLE) == {
        name for name, (scope, *_, word) in TABLE.items() if scope != "alarm" and word != "shared"
    }
    problem = limit_problem("alarms", 1)
    assert problem == f"There is no limit of that name. Use one of: {', '.join(TIGHTENABLE)}."


@pytest.mark.parametrize(
    ("name", "count", "window", "block"),
    [
        ("failed_proofs", 5, DAY, DAY),
        ("failed_method", 5, HOUR, DAY),
        ("phone_sends", 5, HOUR, DAY),
        ("email_sends", 10, timedelta(minutes=10), DAY),
        ("reset_attempts", 5, HOUR, DAY),
    ],
)
def test_the_published_numbers_hold(
    name: str, count: int, window: timedelta, block: timedelta
) -> None:
    limit = LIMITS[name]

    assert (limit.count, limit.window, limit.block) == (count, window, block)
    assert not limit.shared


@pytest.mark.parametrize("name", TIGHTENABLE)
def test_a_tenant_may_only_tighten(name: str) -> None:
    most = LIMITS[name].count

    assert limit_problem(name, most) is None
    assert limit_problem(name, 1) is None
    assert limit_problem(name, most + 1) == f"A limit can only be tightened: use 1 to {most}."
    assert limit_for(name, {name: most + 100}).count == most
    assert limit_for(name, {name: 1}).count == 1
    assert limit_for(name, {name: 0}).count == 1
    assert limit_for(name, {}) == LIMITS[name]


@pytest.mark.parametrize("count", [0, -1, True, "3", 2.0, None])
def test_a_limit_is_a_positive_whole_number(count: object) -> None:
    assert limit_problem("failed_proofs", count) is not None


@pytest.mark.parametrize("name", ["starts_by_address", "calls_to_number", "nothing"])
def test_what_counts_over_all_tenants_is_nobodys_to_change(name: str) -> None:
    problem = limit_problem(name, 1)

    assert problem is not None
    assert "failed_proofs" in problem


def test_an_unknown_limit_is_an_error() -> None:
    with pytest.raises(KeyError):
        limit_for("nothing", {})
