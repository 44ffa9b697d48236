"""Journeys on the administration site: found by the reference a person reads out, told in order."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils import timezone

from accounts.models import User
from accounts.people import find_user
from notifications.admin import recipient_hint
from notifications.models import Message
from tenants.admin import ReadOnlyAdmin, Section, choice_filter, tenant_site
from tenants.admin.base import as_list, as_words, field_choices, row_link, row_url
from tenants.admin.intents import EditableAdmin
from tenants.admin.paging import KeysetAdmin, Order
from tenants.admin.search import possible_user_ids
from tenants.admin.trail import STEP_COLUMNS, SinceFilter, clock, steps_of
from tenants.reference import find_reference

from . import admin_blocks, admin_explain
from .admin_blocks import LockedNowFilter
from .admin_words import REASONS, next_step
from .flow import OPEN_STATES, State
from .models import Challenge, Flow, Gate

__all__ = ["REASONS", "FlowAdmin"]

admin_explain.extend()
admin_blocks.extend()

_JOURNEYS = 10
_JOURNEY_COLUMNS = ("Started", "Reference", "State", "Reason")
_PROOF_COLUMNS = ("Time", "Step", "Method", "Channel", "Tries", "Codes sent", "Passed")
_MESSAGE_COLUMNS = ("Time", "Kind", "Channel", "To", "State")


class StartedFilter(SinceFilter):
    """Journeys of the last days."""

    column = "started_at"


@admin.register(Flow, site=tenant_site)
class FlowAdmin(KeysetAdmin, ReadOnlyAdmin):
    """Journeys of people who recover their account, newest first."""

    heading = "Flows"
    area, place = "Recovery", 10
    also_listed = (("Locked now", 15, "?locked=now"),)
    order = Order(("started_at", "id"), descending=True)
    list_select_related = ("user",)
    list_display = ("reference", "person", "operation", "shown_state", "shown_reason", "started")
    list_filter = (
        StartedFilter,
        LockedNowFilter,
        choice_filter(
            "state", "state", field_choices("state", {each.value: each.value for each in State})
        ),
    )
    search_fields = ("reference",)
    search_help_text = "A reference code such as K7M4-92QX, or a whole user ID."
    fields = (
        "reference",
        "person",
        "operation",
        "shown_state",
        "shown_reason",
        "next_step",
        "gates",
        "shown_methods",
        "policy",
        "concealed",
        "language",
        "address",
        "tries",
        "locked_until",
        "started",
        "expires_at",
        "finished_at",
    )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.of_reference)
        return [
            path("reference/<str:code>/", view, name="resets_flow_reference"),
            *super().get_urls(),
        ]

    def of_reference(self, request: HttpRequest, code: str) -> HttpResponse:
        """The journey of a reference, however it is written; 404 where the tenant has none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        reference = find_reference(code)
        flow = Flow.objects.filter(reference=reference).first() if reference else None
        if flow is None:
            raise Http404
        return HttpResponseRedirect(row_url(flow))

    def search_branches(self, text: str) -> Sequence[Q]:
        reference = find_reference(text)
        if reference is not None:
            return [Q(reference=reference)]
        found = {find_user(user_id) for user_id in possible_user_ids(text)}
        return [Q(user=user) for user in found if user is not None]

    @admin.display(description="Person")
    def person(self, flow: Flow) -> str:
        """What somebody unknown typed stays sealed: it could be a password."""
        return row_link(flow.user, flow.user.user_id) if flow.user is not None else "Unknown"

    @admin.display(description="State")
    def shown_state(self, flow: Flow) -> str:
        if _is_late(flow):
            return f"{flow.state}, then left until it expired"
        if _is_locked(flow):
            return f"{flow.state} until {clock(flow.blocked_until)}"
        return str(flow.state)

    @admin.display(description="Reason")
    def shown_reason(self, flow: Flow) -> str:
        sentence = REASONS.get(flow.reason)
        return f"{flow.reason}: {sentence}" if sentence else flow.reason or "–"

    @admin.display(description="What to do next")
    def next_step(self, flow: Flow) -> str:
        if flow.state == State.LOCKED and not _is_locked(flow):
            return "Nothing: the lock is over, the person may start again."
        return next_step(State(flow.state), flow.reason, is_late=_is_late(flow))

    @admin.display(description="Proofs")
    def gates(self, flow: Flow) -> str:
        return f"{Gate.objects.filter(flow=flow).count()} of {flow.gates_required} passed"

    @admin.display(description="Methods offered")
    def shown_methods(self, flow: Flow) -> str:
        return as_list(flow.methods)

    @admin.display(description="Locked until")
    def locked_until(self, flow: Flow) -> str:
        return clock(flow.blocked_until) if flow.blocked_until is not None else "–"

    @admin.display(description="Started")
    def started(self, flow: Flow) -> str:
        return clock(flow.started_at)

    def sections(self, obj: Flow) -> Sequence[Section]:
        return [
            Section("Timeline", STEP_COLUMNS, steps_of(obj.pk)),
            Section("Proofs asked for", _PROOF_COLUMNS, _proofs(obj)),
            Section("Messages", _MESSAGE_COLUMNS, _messages(obj)),
        ]


def journeys_of(user: User) -> Sequence[Section]:
    """The newest journeys of a person, on the person's page."""
    shown = cast(FlowAdmin, tenant_site.get_model_admin(Flow))
    rows = Flow.objects.filter(user=user).order_by("-started_at", "-id")[:_JOURNEYS]
    told = [
        (
            clock(flow.started_at),
            row_link(flow, flow.reference),
            shown.shown_state(flow),
            shown.shown_reason(flow),
        )
        for flow in rows
    ]
    return [Section("Newest journeys", _JOURNEY_COLUMNS, told)]


def _is_late(flow: Flow) -> bool:
    return State(flow.state) in OPEN_STATES and flow.expires_at <= timezone.now()


def _is_locked(flow: Flow) -> bool:
    until = flow.blocked_until
    return flow.state == State.LOCKED and until is not None and until > timezone.now()


def _proofs(flow: Flow) -> list[tuple[Any, ...]]:
    rows = Challenge.objects.filter(flow=flow).select_related("gate")
    return [
        (
            clock(row.created_at),
            row.step,
            as_words(row.method),
            row.channel or "–",
            row.tries,
            row.sends or "–",
            _passed(row),
        )
        for row in rows.order_by("created_at", "id")
    ]


def _passed(row: Challenge) -> str:
    gate: Gate | None = getattr(row, "gate", None)
    return clock(gate.passed_at) if gate is not None else "no"


def _messages(flow: Flow) -> list[tuple[Any, ...]]:
    rows = Message.objects.filter(correlation_id=flow.pk)
    return [
        (
            row_link(message, clock(message.created_at)),
            as_words(message.kind),
            message.channel,
            recipient_hint(message),
            message.state,
        )
        for message in rows.order_by("created_at", "id")
    ]


cast(EditableAdmin, tenant_site.get_model_admin(User)).more_sections.append(journeys_of)
