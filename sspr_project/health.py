"""Probes (alive, ready to work), and what an operator has to know about the installation.

Each `judge_…` is a function of values and says in words what is wrong and what mends it; `examine`
reads those values. Nothing of a tenant's is read but how much waits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.core.checks import CheckMessage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static
from django.utils import timezone

from tenants.checks import row_level_security_stands
from tenants.context import tenant_context
from tenants.heartbeat import SIGNER, last_beat
from tenants.keys import SealBroken, unwrap_key
from tenants.models import SharedCounter, TenantKey
from tenants.operator.directory import DirectoryNumbers, backlog, directory_numbers
from tenants.services import get_platform
from writeback.jobs import State as JobState
from writeback.news import BAD
from writeback.state_words import STATES as DIRECTORY_STATES

State = Literal["ok", "attention", "broken"]
WORKER_SILENT = timedelta(minutes=2)
LATE = {"messages": timedelta(minutes=2), "audit": timedelta(minutes=5)}
MANY_COUNTERS = 1_000_000
SIGNED_WITHIN = timedelta(seconds=10)
LATELY = timedelta(hours=1)
NAMES = {"messages": "Messages", "audit": "Audit trail"}
_WAITING = {
    "messages": ("message that is due", "messages that are due"),
    "audit": ("audit event without a seal", "audit events without a seal"),
}
_START_WORKER = "Start the worker: manage.py work. It has to run all the time."
_START_SIGNER = (
    "Start the signer: manage.py signer, with SSPR_SIGNER_KEY in its environment alone. It has to "
    "run all the time."
)
_LOOK = "Is the worker running? Its log says which queue fails and why."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fix` is what to do; empty when there is nothing."""

    name: str
    state: State
    says: str
    fix: str = ""


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it here when an answer is no page of ours."""
    return HttpResponseRedirect(static("favicon.svg"))


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse({"database": "ok", "directories": _directory_counts()})


def _directory_counts() -> Mapping[str, int]:
    """Directories by state. They are customers', so none of them makes this service unready."""
    try:
        found = directory_numbers(timezone.now() - LATELY).states
    except DatabaseError:
        return {}
    return {state: found.get(state, 0) for state in DIRECTORY_STATES}


def examine() -> list[Finding]:
    """Everything that is looked at, in the order it matters. One that fails hides no other."""
    now = timezone.now()
    looks: Sequence[tuple[str, Callable[[datetime], list[Finding]]]] = (
        ("Walls between organisations", _walls),
        ("Migrations", _migrations),
        ("Worker", _worker),
        ("Queues", _queues),
        ("Directories", _directories),
        ("Keys", _keys),
        ("Mail", _mail),
    )
    found: list[Finding] = []
    for name, look in looks:
        try:
            found += look(now)
        except DatabaseError as error:
            fix = "Look into the log of the database."
            says = f"The database did not answer ({type(error).__name__})."
            found.append(Finding(name, "broken", says, fix))
    return found


def _walls(now: datetime) -> list[Finding]:
    problems = row_level_security_stands(None, databases=["default"])
    return [judge_walls(problems, embedded=connection.vendor != "postgresql")]


def judge_walls(problems: Sequence[CheckMessage], *, embedded: bool) -> Finding:
    """The role of the database and row-level security of every table."""
    name = "Walls between organisations"
    if embedded:
        fix = "Use PostgreSQL for anything but the demo."
        return Finding(name, "attention", "SQLite has no row-level security.", fix)
    if problems:
        says = "; ".join(problem.msg for problem in problems)
        hints = " ".join(problem.hint for problem in problems if problem.hint)
        fix = hints or "Run manage.py migrate, then manage.py check --database default."
        return Finding(name, "broken", f"{says}.", fix)
    says = "Row-level security is forced on every table; the runtime role can't go around it."
    return Finding(name, "ok", says)


def _migrations(now: datetime) -> list[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [judge_migrations([str(migration) for migration, _ in plan])]


def judge_migrations(missing: Sequence[str]) -> Finding:
    if not missing:
        return Finding("Migrations", "ok", "The database has every migration.")
    says = f"The database lacks {len(missing)}: {', '.join(missing[:5])}."
    return Finding("Migrations", "broken", says, "Run manage.py migrate as the owner.")


def _worker(now: datetime) -> list[Finding]:
    return [judge_worker(last_beat(), now)]


def judge_worker(beat: datetime | None, now: datetime) -> Finding:
    """Whether something drains the queues."""
    if beat is None:
        return Finding("Worker", "broken", "No worker was ever at work.", _START_WORKER)
    says = f"Last at work {words(now - beat)} ago."
    if now - beat > WORKER_SILENT:
        return Finding("Worker", "broken", says, _START_WORKER)
    return Finding("Worker", "ok", says)


def _queues(now: datetime) -> list[Finding]:
    waiting = {each.queue: each for each in backlog(now)}
    queues = [judge_queue(name, waiting[name].waiting, waiting[name].oldest, now) for name in NAMES]
    shared = SharedCounter.objects.filter(ends_at__lt=now).count()
    return [*queues, judge_counters(waiting["counters"].waiting + shared)]


def judge_queue(queue: str, waiting: int, oldest: datetime | None, now: datetime) -> Finding:
    """How much waits, and since when; a queue that is late is broken."""
    if not waiting or oldest is None:
        return Finding(NAMES[queue], "ok", f"No {_WAITING[queue][1]}.")
    says = f"{waiting:,} {_WAITING[queue][waiting > 1]}, the oldest for {words(now - oldest)}."
    if now - oldest > LATE[queue]:
        return Finding(NAMES[queue], "broken", says, _LOOK)
    return Finding(NAMES[queue], "ok", says)


def judge_counters(past: int) -> Finding:
    says = f"{past:,} counters of tries whose time is over."
    if past > MANY_COUNTERS:
        fix = "They do no harm but take room. Delete rows whose ends_at is past."
        return Finding("Counters", "attention", says, fix)
    return Finding("Counters", "ok", says)


def _directories(now: datetime) -> list[Finding]:
    numbers = directory_numbers(now - LATELY)
    return [judge_signer(numbers, last_beat(SIGNER), now), judge_directories(numbers)]


def judge_signer(numbers: DirectoryNumbers, beat: datetime | None, now: datetime) -> Finding:
    """Whether something signs jobs, without which no password reaches a directory."""
    unsigned = numbers.jobs.get(JobState.UNSIGNED)
    if unsigned is not None and unsigned.oldest is not None:
        says = f"{unsigned.waiting:,} {'job waits' if unsigned.waiting == 1 else 'jobs wait'}"
        says += f" for its signature, the oldest for {words(now - unsigned.oldest)}."
        if now - unsigned.oldest > SIGNED_WITHIN:
            return Finding("Signer", "broken", says, _START_SIGNER)
    if not numbers.all:
        return Finding("Signer", "ok", "No directory is connected, so there is nothing to sign.")
    if beat is None:
        return Finding("Signer", "broken", "No signer was ever at work.", _START_SIGNER)
    says = f"Last at work {words(now - beat)} ago."
    if now - beat > WORKER_SILENT:
        return Finding("Signer", "broken", says, _START_SIGNER)
    return Finding("Signer", "ok", says)


def judge_directories(numbers: DirectoryNumbers) -> Finding:
    """How many directories are connected; which they are is their organisations' to know."""
    bad = {state: numbers.states[state] for state in BAD if numbers.states.get(state)}
    seen = sum(numbers.states.values())
    if not bad:
        return Finding("Directories", "ok", f"{seen:,} watched, none of them in trouble.")
    named = ", ".join(
        f"{count:,} {DIRECTORY_STATES[state].name.lower()}" for state, count in sorted(bad.items())
    )
    says = f"{sum(bad.values()):,} of {seen:,} in trouble: {named}."
    fix = (
        "Their administrators see why, and were told if it worked before. If it is many at once, "
        "see that agents reach this address."
    )
    return Finding("Directories", "attention", says, fix)


def _keys(now: datetime) -> list[Finding]:
    platform = get_platform()
    with tenant_context(platform):
        keys = [(key.wrapped, key.version) for key in TenantKey.objects.all()]
    try:
        for wrapped, version in keys:
            unwrap_key(wrapped, platform, version)
    except SealBroken:
        return [judge_keys(opens=False)]
    return [judge_keys(opens=bool(keys))]


def judge_keys(*, opens: bool) -> Finding:
    """Whether the master key is the one the data was sealed under."""
    if opens:
        return Finding("Keys", "ok", "The master key opens the installation's own data key.")
    says = "The master key does not open the installation's data key."
    fix = "Put back the SSPR_MASTER_KEY this database was made with. Without it nothing opens."
    return Finding("Keys", "broken", says, fix)


def _mail(now: datetime) -> list[Finding]:
    return [judge_mail(settings.EMAIL_URL, settings.SSPR_OUTBOX_DIR)]


def judge_mail(email_url: str, outbox: str) -> Finding:
    """Where mails go. Says the way, never the address with its password."""
    if outbox:
        fix = "Leave SSPR_OUTBOX_DIR out and set EMAIL_URL where people shall get their mails."
        return Finding("Mail", "attention", "Messages are written into a folder.", fix)
    if not email_url:
        says = "No mail server is named, so no code and no notice reaches anybody by email."
        return Finding("Mail", "broken", says, "Set EMAIL_URL, like smtp+tls://user:…@host:587.")
    return Finding("Mail", "ok", f"Mails are handed over by {email_url.partition(':')[0]}.")


def words(time: timedelta) -> str:
    """A length of time in its largest unit: `3 minutes`."""
    seconds = max(0, int(time.total_seconds()))
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
