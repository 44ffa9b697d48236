"""Agents on the administration site: confirmed after their words were compared, or revoked."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tenants.admin import choice_filter, tenant_site
from tenants.admin.base import field_choices, row_link
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.permissions import Permission
from tenants.admin.trail import clock

from ..models import Agent
from ..words import COUNT, fingerprint
from .forms import TYPED, ConfirmForm, RevokeForm


def _is_pending(row: Agent) -> bool:
    return row.state == Agent.State.PENDING and not row.own


def _is_in(row: Agent) -> bool:
    return row.state != Agent.State.REVOKED and not row.own


@admin.register(Agent, site=tenant_site)
class AgentAdmin(EditableAdmin):
    """What reaches the organisation's directories. Nobody adds one here: it enrols itself."""

    heading = "Agents"
    area, place = "Organisation", 65
    note = "An agent enrols itself with a code, which is made on the page of its directory."
    ordering = ("connector__name", "name", "id")
    list_display = ("name", "directory", "shown_state", "version", "heard")
    list_filter = (
        choice_filter(
            "state", "state", field_choices("state", {k: str(v) for k, v in Agent.State.choices})
        ),
    )
    list_select_related = ("connector",)
    fields = (
        "name",
        "directory",
        "shown_state",
        "words",
        "version",
        "heard",
        "journal",
        "enrolled",
        "confirmed",
        "revoked",
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        may = Permission.DIRECTORIES
        self.intents += [
            Intent("confirm", "Compare the words and confirm", may, ConfirmForm, _is_pending),
            Intent("revoke", "Revoke", may, RevokeForm, _is_in),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("connector")

    @admin.display(description="Directory")
    def directory(self, row: Agent) -> str:
        return row_link(row.connector, row.connector.name)

    @admin.display(description="State")
    def shown_state(self, row: Agent) -> str:
        return str(row.get_state_display())

    @admin.display(description="Words")
    def words(self, row: Agent) -> str:
        """Before it is confirmed the first ones are on the agent's screen alone."""
        found = fingerprint(bytes(row.identity))
        hidden = TYPED if _is_pending(row) else 0
        return " ".join((*["••••"] * hidden, *found[hidden:COUNT]))

    @admin.display(description="Last heard")
    def heard(self, row: Agent) -> str:
        if row.own:
            return "–"
        return clock(row.seen_at) if row.seen_at is not None else "never"

    @admin.display(description="Journal")
    def journal(self, row: Agent) -> str:
        return "sound" if row.journal_sound else "damaged: it gets no passwords to set"

    @admin.display(description="Enrolled")
    def enrolled(self, row: Agent) -> str:
        return clock(row.enrolled_at)

    @admin.display(description="Confirmed")
    def confirmed(self, row: Agent) -> str:
        return clock(row.confirmed_at) if row.confirmed_at is not None else "–"

    @admin.display(description="Revoked")
    def revoked(self, row: Agent) -> str:
        return clock(row.revoked_at) if row.revoked_at is not None else "–"
