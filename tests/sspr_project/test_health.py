"""What the health page says: true when things are whole, and true when they are broken."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.checks import Error
from django.db import DatabaseError, connection
from django.utils import timezone
from pytest_django import Settings

from sspr_project import health
from sspr_project.worker import run_once
from tenants import heartbeat
from tenants.audit import Party, record
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.models import Heartbeat
from tenants.operator.directory import DirectoryNumbers, OpenJobs
from tenants.services import get_platform
from tests.cast import Acme
from tests.tenants.operator_cast import make_operator, operator_client

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return NOW - timedelta(minutes=count)


def test_the_walls_are_told_with_their_problem_and_its_fix() -> None:
    problem = Error("accounts_user: its policy is missing", hint="Do this.", id="sspr.E005")

    whole = health.judge_walls([], embedded=False)
    broken = health.judge_walls([problem], embedded=False)
    plain = health.judge_walls([Error("no", id="sspr.E003")], embedded=False)
    demo = health.judge_walls([], embedded=True)

    assert (whole.state, whole.fix) == ("ok", "")
    assert (broken.state, broken.fix) == ("broken", "Do this.")
    assert "accounts_user: its policy is missing" in broken.says
    assert "manage.py migrate" in plain.fix
    assert demo.state == "attention"


@pytest.mark.parametrize(
    ("beat", "state", "words"),
    [
        (None, "broken", "never|No worker"),
        (minutes(0.5), "ok", "30 seconds ago"),
        (minutes(2), "ok", "2 minutes ago"),
        (minutes(2.1), "broken", "2 minutes ago"),
        (minutes(60 * 24 * 3), "broken", "3 days ago"),
    ],
)
def test_a_silent_worker_is_broken(beat: datetime | None, state: str, words: str) -> None:
    finding = health.judge_worker(beat, NOW)

    assert finding.state == state
    assert any(part in finding.says for part in words.split("|"))
    assert bool(finding.fix) is (state == "broken")


@pytest.mark.parametrize(
    ("queue", "waiting", "oldest", "state"),
    [
        ("messages", 0, None, "ok"),
        ("messages", 9000, minutes(1), "ok"),
        ("messages", 1, minutes(2.1), "broken"),
        ("audit", 1, minutes(4), "ok"),
        ("audit", 1, minutes(5.1), "broken"),
    ],
)
def test_a_queue_that_is_late_is_broken(
    queue: str, waiting: int, oldest: datetime | None, state: str
) -> None:
    finding = health.judge_queue(queue, waiting, oldest, NOW)

    assert finding.state == state
    assert bool(finding.fix) is (state == "broken")


def test_the_other_findings_say_what_mends_them() -> None:
    assert health.judge_migrations([]).state == "ok"
    missing = health.judge_migrations(["tenants.0009_x"])
    assert (missing.state, "tenants.0009_x" in missing.says) == ("broken", True)
    assert health.judge_keys(opens=True).state == "ok"
    assert "SSPR_MASTER_KEY" in health.judge_keys(opens=False).fix
    assert health.judge_counters(health.MANY_COUNTERS).state == "ok"
    assert health.judge_counters(health.MANY_COUNTERS + 1).state == "attention"
    assert health.judge_mail("", "").state == "broken"
    assert health.judge_mail("smtp://x", "/folder").state == "attention"
    sent = health.judge_mail("smtp+tls://user:hunter2@mail.example:587", "")
    assert (sent.state, "hunter2" in sent.says) == ("ok", False)
    assert health.words(timedelta(seconds=-3)) == "0 seconds"


def numbers(
    directories: int = 0,
    oldest: datetime | None = None,
    waiting: int = 1,
    **states: int,
) -> DirectoryNumbers:
    jobs = {"unsigned": OpenJobs(waiting, oldest)} if oldest is not None else {}
    return DirectoryNumbers(directories, states, jobs, {})


@pytest.mark.parametrize(
    ("found", "beat", "state", "says"),
    [
        (numbers(), None, "ok", "No directory is connected"),
        (numbers(1), None, "broken", "No signer was ever at work."),
        (numbers(1), minutes(2), "ok", "Last at work 2 minutes ago."),
        (numbers(1), minutes(2.1), "broken", "Last at work 2 minutes ago."),
        (numbers(1, NOW - timedelta(seconds=10)), minutes(0), "ok", "Last at work"),
        (numbers(1, NOW - timedelta(seconds=11)), minutes(0), "broken", "1 job waits for its"),
        (numbers(0, minutes(1), waiting=2), None, "broken", "2 jobs wait for its"),
    ],
)
def test_jobs_that_nobody_signs_are_broken(
    found: DirectoryNumbers, beat: datetime | None, state: str, says: str
) -> None:
    finding = health.judge_signer(found, beat, NOW)

    assert finding.state == state
    assert says in finding.says
    assert ("manage.py signer" in finding.fix) is (state == "broken")


@pytest.mark.parametrize(
    ("found", "state", "says"),
    [
        (numbers(), "ok", "0 watched, none of them in trouble."),
        (numbers(3, healthy=2, unknown_outdated=1), "ok", "3 watched, none of them in trouble."),
        (
            numbers(4, healthy=1, disconnected=2, not_configured=1),
            "attention",
            "3 of 4 in trouble: 2 not connected, 1 not set up.",
        ),
    ],
)
def test_directories_in_trouble_are_counted_and_not_named(
    found: DirectoryNumbers, state: str, says: str
) -> None:
    finding = health.judge_directories(found)

    assert (finding.state, finding.says) == (state, says)
    assert bool(finding.fix) is (state == "attention")


def states() -> dict[str, str]:
    return {finding.name: finding.state for finding in health.examine()}


@pytest.mark.django_db
def test_a_fresh_installation_lacks_nothing_but_its_worker(settings: Settings) -> None:
    settings.SSPR_OUTBOX_DIR, settings.EMAIL_URL = "", "smtp://localhost"
    whole = {
        "Walls between organisations",
        "Migrations",
        "Worker",
        "Messages",
        "Audit trail",
        "Counters",
        "Signer",
        "Directories",
        "Keys",
        "Mail",
    }

    before = states()
    run_once()
    after = states()

    assert {name for name, state in before.items() if state != "ok"} == {"Worker"}
    assert after == dict.fromkeys(whole, "ok")


@pytest.mark.django_db
def test_the_worker_leaves_a_sign_of_life_every_ten_seconds() -> None:
    for seconds, expected in ((0, 0), (5, 0), (11, 11), (12, 11), (40, 40)):
        assert heartbeat.beat(NOW + timedelta(seconds=seconds)) == 0
        assert heartbeat.last_beat() == NOW + timedelta(seconds=expected)
    assert Heartbeat.objects.count() == 1


@pytest.mark.django_db
def test_what_waits_too_long_in_any_organisation_is_seen(acme: Acme, settings: Settings) -> None:
    now = timezone.now()
    with acme.inside():
        record("audit.sealed", actor=Party("system", None, ""), now=now - timedelta(minutes=6))
        count_up([Count(LIMITS["failed_proofs"], "x")], now - timedelta(days=30))

    found = {finding.name: finding for finding in health.examine()}

    assert found["Audit trail"].state == "broken"
    assert found["Audit trail"].says.startswith("1 audit event without a seal, the oldest for 6")
    assert found["Counters"].says.startswith("1 counters")


@pytest.mark.django_db
def test_another_master_key_is_noticed(settings: Settings) -> None:
    get_platform()
    assert states()["Keys"] == "ok"

    settings.SSPR_MASTER_KEY = "another one"

    assert states()["Keys"] == "broken"


@pytest.mark.django_db
def test_one_look_that_fails_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(now: datetime) -> None:
        raise DatabaseError("password=hunter2")

    monkeypatch.setattr(health, "_queues", fail)
    found = {finding.name: finding for finding in health.examine()}

    assert found["Queues"].state == "broken"
    assert "hunter2" not in found["Queues"].says
    assert found["Keys"].state == "ok"


@pytest.mark.django_db
def test_the_page_shows_every_finding_with_its_fix() -> None:
    make_operator()
    with time_machine.travel(timezone.now(), tick=False):
        text = operator_client().get("/operator/health/").content.decode()

    assert "No worker was ever at work." in text
    assert "manage.py work" in text
    with tenant_context(get_platform()):
        assert connection.vendor == "postgresql"
