"""Counts for Prometheus, over all organisations together: nothing that names one.

`/metrics` exists only where SSPR_METRICS_TOKEN is set, and only for who shows it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from tenants.operator.directory import backlog, directory_numbers
from writeback.jobs import State as JobState
from writeback.reports import OUTCOMES
from writeback.state_words import STATES

from .health import LATELY

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    wanted = settings.SSPR_METRICS_TOKEN
    if not wanted:
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {wanted}"):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse(
            "Unauthorized\n", status=401, content_type="text/plain", headers=headers
        )
    return HttpResponse("".join(lines(timezone.now())), content_type=CONTENT_TYPE)


def lines(now: datetime) -> Iterator[str]:
    """Every count there is, those that are nought too, so that a series never ends."""
    numbers = directory_numbers(now - LATELY)
    yield from _family(
        "sspr_queue_waiting",
        "Rows that wait in a queue.",
        "queue",
        {each.queue: each.waiting for each in backlog(now)},
    )
    open_jobs = {state: numbers.jobs[state].waiting for state in numbers.jobs}
    yield from _family(
        "sspr_directory_jobs_open",
        "Jobs for directories without an outcome.",
        "state",
        {state.value: open_jobs.get(state.value, 0) for state in JobState if state != "done"},
    )
    yield from _family(
        "sspr_directories",
        "Directories by the state of their connection.",
        "state",
        {state: numbers.states.get(state, 0) for state in STATES},
    )
    yield from _family(
        "sspr_directory_jobs_ended_last_hour",
        "Jobs for directories that ended within the last hour.",
        "outcome",
        {outcome: numbers.outcomes.get(outcome, 0) for outcome in sorted(OUTCOMES)},
    )


def _family(name: str, about: str, label: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"
    for value, count in values.items():
        yield f'{name}{{{label}="{value}"}} {count}\n'
