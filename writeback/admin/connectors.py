"""Directories on the administration site: how each is connected, and what mends it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils import timezone

from tenants.admin import Section, tenant_site
from tenants.admin.base import row_link
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.permissions import Permission
from tenants.admin.trail import clock

from ..connectors.base import DirectoryRules
from ..described_words import rules_in_words
from ..job_words import OPERATIONS, end_in_words
from ..models import Agent, Connector, DirectoryLink, WritebackJob
from ..reports import NotAReport, rules_read
from ..services.states import Standing, standings
from ..state_words import Words, explained
from .direct import DirectForm, StopDirectForm, TryDirectForm
from .forms import CodeForm, ConnectorForm, NewConnectorForm, RemoveConnectorForm
from .reminders import reminders_section

NEWEST = 10


def _is_direct(row: Connector) -> bool:
    return bool(row.direct)


def words_of(standing: Standing) -> list[Words]:
    row = standing.connector
    damaged = any(not agent.journal_sound for agent in standing.agents)
    return explained(
        standing.state,
        trouble=row.trouble,
        damaged=damaged,
        enabled=row.enabled,
        direct=row.direct,
    )


def standing_of(connector: Connector) -> Standing:
    found = standings(timezone.now())
    return next(each for each in found if each.connector.pk == connector.pk)


class ConnectorList(ChangeList):
    """Django's list, whose rows know how they stand: found out with one statement for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        known = {each.connector.pk: each for each in standings(timezone.now())}
        for row in self.result_list:
            row.standing = known[row.pk]


@admin.register(Connector, site=tenant_site)
class ConnectorAdmin(EditableAdmin):
    """Where the organisation keeps its passwords itself."""

    heading = "Directories"
    area, place = "Organisation", 64
    note = "The organisation's own directories, whose passwords are reset through agents."
    ordering = ("name", "id")
    list_display = ("name", "kind", "connection", "what_to_do", "heard")
    fields = ("name", "kind", "enabled", "canary")
    adder = Intent("add", "Add a directory", Permission.DIRECTORIES, NewConnectorForm)
    editor = Intent("change", "Directory", Permission.DIRECTORIES, ConnectorForm)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        may = Permission.DIRECTORIES
        self.intents += [
            Intent("code", "Make a code for an agent", may, CodeForm),
            Intent("direct", "Reach it directly", may, DirectForm),
            Intent("try", "Try it now", may, TryDirectForm, _is_direct),
            Intent("stop", "Stop reaching it directly", may, StopDirectForm, _is_direct),
            Intent("remove", "Remove directory", may, RemoveConnectorForm),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ConnectorList

    @admin.display(description="Connection")
    def connection(self, row: Any) -> str:
        return "; ".join(words.name for words in words_of(row.standing))

    @admin.display(description="What to do")
    def what_to_do(self, row: Any) -> str:
        return words_of(row.standing)[0].fix or "–"

    @admin.display(description="Last heard")
    def heard(self, row: Any) -> str:
        return _heard([agent.seen_at for agent in row.standing.agents])

    def facts(self, row: Connector) -> Sequence[tuple[str, Any]]:
        drilled = f"{clock(row.drilled_at)}: {row.drill_outcome}" if row.drilled_at else "never"
        return [
            ("People with an account there", DirectoryLink.objects.filter(connector=row).count()),
            ("Last drill", drilled),
            ("Reached directly", "yes" if row.direct else "no"),
            ("Added", clock(row.created_at)),
        ]

    def sections(self, obj: Connector) -> Sequence[Section]:
        standing = standing_of(obj)
        return [
            Section(
                "Connection",
                ("State", "What it means", "What to do"),
                [(words.name, words.means, words.fix or "–") for words in words_of(standing)],
            ),
            _agents(obj),
            _rules(obj),
            reminders_section(),
            _jobs(obj),
        ]


def _heard(moments: Sequence[Any]) -> str:
    known = [moment for moment in moments if moment is not None]
    return clock(max(known)) if known else "never"


def _agents(connector: Connector) -> Section:
    rows = Agent.objects.filter(connector=connector).order_by("-enrolled_at", "pk")
    return Section(
        "Agents",
        ("Name", "State", "Version", "Last heard"),
        [
            (
                row_link(row, row.name),
                row.get_state_display(),
                row.version or "–",
                "–" if row.own else _heard([row.seen_at]),
            )
            for row in rows
        ],
        empty="None yet. Make a code for the first one.",
    )


def _rules(connector: Connector) -> Section:
    try:
        known = rules_read(connector.rules) or DirectoryRules()
    except NotAReport:
        # Written by another version of the product.
        known = DirectoryRules()
    return Section(
        "Rules for passwords",
        ("Rule", "Value"),
        rules_in_words(known),
        empty="The directory has told none yet.",
        about="As the directory told them. Somebody's own rules may be stricter.",
    )


def _jobs(connector: Connector) -> Section:
    rows = WritebackJob.objects.filter(connector=connector).select_related("user")
    newest = rows.order_by("-created_at", "-id")[:NEWEST]
    return Section(
        "Newest jobs",
        ("Time", "Person", "Asked for", "Outcome"),
        [
            (
                row_link(job, clock(job.created_at)),
                job.user.user_id if job.user is not None else "–",
                OPERATIONS.get(job.operation, job.operation),
                end_in_words(job.outcome, job.cause),
            )
            for job in newest
        ],
        empty="None yet.",
    )
