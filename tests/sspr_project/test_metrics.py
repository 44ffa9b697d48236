"""Counts of directories and jobs over all organisations: for probes, Prometheus and operators."""

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sspr_project import health, metrics
from sspr_project.health import Finding
from sspr_project.worker import run_once
from tenants.operator.directory import directory_numbers
from tests.cast import Acme, Beta, Organisation
from writeback.models import Connector, WritebackJob
from writeback.state_words import STATES

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-more-than-32-characters-0123"


def fill(place: Organisation, state: str, *jobs: tuple[str, str, float]) -> None:
    """A directory in this state with jobs: state, outcome, and minutes since they ended."""
    now = timezone.now()
    with place.inside():
        connector = Connector.objects.create(
            name=f"secret name of {place.domain}", kind="scim", seen_state=state
        )
        for job, outcome, ago in jobs:
            WritebackJob.objects.create(
                connector=connector,
                anchor="x",
                purpose="describe",
                operation="describe",
                origin=uuid4(),
                sequence=1,
                evidence=bytes(32),
                state=job,
                outcome=outcome,
                created_at=now - timedelta(minutes=ago),
                expires_at=now,
                finished_at=now - timedelta(minutes=ago) if outcome else None,
            )


@pytest.fixture
def filled(acme: Acme, beta: Beta) -> None:
    fill(acme, "healthy", ("unsigned", "", 1), ("done", "succeeded", 5), ("done", "failed", 61))
    fill(beta, "disconnected", ("taken", "", 0), ("done", "succeeded", 10), ("ready", "", 0))
    with acme.inside():
        Connector.objects.create(name="off", kind="scim", seen_state="healthy", enabled=False)
        Connector.objects.create(name="new", kind="scim")


def ask(token: str | None = TOKEN, host: str = "10.0.0.7", scheme: str = "Bearer") -> Any:
    headers = {"host": host} | ({"authorization": f"{scheme} {token}"} if token else {})
    return Client().get("/metrics", headers=headers)


def test_readiness_tells_how_many_directories_stand_how(filled: None, client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    counts = dict.fromkeys(STATES, 0) | {"healthy": 1, "disconnected": 1}
    assert answer.json() == {"database": "ok", "directories": counts}


def test_directories_that_can_not_be_counted_make_nothing_unready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(since: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(health, "directory_numbers", fail)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "directories": {}})


def test_metrics_are_counts_that_name_nobody(filled: None, settings: Settings) -> None:
    settings.SSPR_METRICS_TOKEN = TOKEN
    answer = ask()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.content.decode()
    values = dict(
        line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")
    )
    expected = {
        'sspr_directory_jobs_open{state="unsigned"}': "1",
        'sspr_directory_jobs_open{state="ready"}': "1",
        'sspr_directory_jobs_open{state="taken"}': "1",
        'sspr_directories{state="healthy"}': "1",
        'sspr_directories{state="disconnected"}': "1",
        'sspr_directories{state="service_fault"}': "0",
        'sspr_directory_jobs_ended_last_hour{outcome="succeeded"}': "2",
        'sspr_directory_jobs_ended_last_hour{outcome="failed"}': "0",
        'sspr_queue_waiting{queue="messages"}': "0",
    }
    assert {name: values.get(name) for name in expected} == expected
    for family in {name.partition("{")[0] for name in values}:
        assert f"# HELP {family} " in text
        assert f"# TYPE {family} gauge" in text
    assert "acme" not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("token", "scheme"),
    [(None, ""), ("", "Bearer"), (TOKEN[:-1], "Bearer"), (TOKEN, "Basic"), ("ä" * 40, "Bearer")],
)
def test_whoever_does_not_show_the_token_gets_nothing(
    settings: Settings, token: str | None, scheme: str
) -> None:
    settings.SSPR_METRICS_TOKEN = TOKEN
    answer = ask(token, scheme=scheme)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert b"sspr_" not in answer.content


def test_without_a_token_set_there_is_no_such_page(settings: Settings) -> None:
    settings.SSPR_METRICS_TOKEN = ""
    for token in (None, "", TOKEN):
        assert ask(token).status_code == 404


def test_nothing_is_written_there(settings: Settings) -> None:
    settings.SSPR_METRICS_TOKEN = TOKEN
    answer = Client().post("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 405


def test_the_worker_watches_what_is_counted(acme: Acme) -> None:
    with acme.inside():
        Connector.objects.create(name="Head office", kind="scim")
    run_once(["directories", "orders"])
    assert list(metrics.lines(timezone.now()))
    assert directory_numbers(timezone.now()).states == {"not_configured": 1}


def doctor(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> tuple[str, int]:
    """What it prints, and its exit code."""
    monkeypatch.setattr("sspr_project.management.commands.doctor.examine", lambda: list(findings))
    out = StringIO()
    try:
        call_command("doctor", stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


WHOLE = Finding("Keys", "ok", "They open.")
SMALL = Finding("Mail", "attention", "Into a folder.", "Set EMAIL_URL.")
BIG = Finding("Worker", "broken", "None.", "Start it.")


def test_the_doctor_says_what_is_wrong_and_what_mends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text, code = doctor(monkeypatch, WHOLE, SMALL, BIG)
    assert code == 1
    assert text.splitlines() == [
        "ok      Keys: They open.",
        "look    Mail: Into a folder.",
        "        → Set EMAIL_URL.",
        "BROKEN  Worker: None.",
        "        → Start it.",
    ]
    assert doctor(monkeypatch, WHOLE, SMALL)[1] == 0


def test_the_doctor_looks_at_everything(acme: Acme) -> None:
    with acme.inside():
        Connector.objects.create(name="Head office", kind="scim", seen_state="disconnected")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", stdout=out)
    text = out.getvalue()
    assert "BROKEN  Signer: No signer was ever at work." in text
    assert "look    Directories: 1 of 1 in trouble: 1 not connected." in text
    assert "Head office" not in text
