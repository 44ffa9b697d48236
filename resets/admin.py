"""Journeys on the administration site: found by the reference a person reads out, told in order."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import models
from django.utils import timezone

from accounts.people import find_user
from notifications.admin import recipient_hint
from notifications.models import Message
from tenants.admin import ReadOnlyAdmin, Section, choice_filter, tenant_site
from tenants.admin.base import as_list, as_words, field_choices, row_link
from tenants.admin.trail import STEP_COLUMNS, clock, steps_of
from tenants.reference import find_reference

from . import eligibility
from .flow import State
from .models import Flow, Gate
from .services.common import OPEN_STATES

REASONS = {
    eligibility.TENANT_OFF: "self-service reset is switched off",
    eligibility.WRITEBACK_OFF: "passwords can't be written back to the directory",
    eligibility.NO_POLICY: "there is no policy",
    eligibility.NOT_LICENSED: "the person has no licence",
    eligibility.OUTSIDE_GROUP: "the person is outside the group of the policy",
    eligibility.NOT_ENOUGH_METHODS: "too few methods are registered",
    eligibility.DIRECTORY_NEEDS_ADMIN: "the directory needs an administrator",
    eligibility.DIRECTORY_UNREACHABLE: "the directory can't be reached",
    eligibility.UNKNOWN_USER: "nobody has this user ID",
    eligibility.DISABLED: "the person is disabled",
    eligibility.LOCKED_OUT: "too many failed tries",
    eligibility.PERSONAL_ACCOUNT: "a personal account, which has a recovery of its own",
    eligibility.HOME_TENANT: "the home organisation's policy decides",
    eligibility.ADMINS_MAY_NOT_RESET: "administrators may not reset",
}


@admin.register(Flow, site=tenant_site)
class FlowAdmin(ReadOnlyAdmin):
    """Journeys of people who recover their account, newest first."""

    heading = "Flows"
    area, place = "Recovery", 10
    ordering = ("-started_at", "-id")
    list_select_related = ("user",)
    list_display = ("reference", "person", "operation", "shown_state", "shown_reason", "started")
    list_filter = (
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
        "policy",
        "gates_required",
        "shown_methods",
        "concealed",
        "language",
        "address",
        "tries",
        "blocked_until",
        "started",
        "expires_at",
        "finished_at",
    )

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        reference = find_reference(text)
        if reference is not None:
            return queryset.filter(reference=reference)
        user = find_user(text)
        return queryset.filter(user=user) if user is not None else queryset.none()

    @admin.display(description="Person")
    def person(self, flow: Flow) -> str:
        """What somebody unknown typed stays sealed: it could be a password."""
        return row_link(flow.user, flow.user.user_id) if flow.user is not None else "Unknown"

    @admin.display(description="State")
    def shown_state(self, flow: Flow) -> str:
        is_late = State(flow.state) in OPEN_STATES and flow.expires_at <= timezone.now()
        return f"{flow.state}, then left until it expired" if is_late else flow.state

    @admin.display(description="Reason")
    def shown_reason(self, flow: Flow) -> str:
        sentence = REASONS.get(flow.reason)
        return f"{flow.reason}: {sentence}" if sentence else flow.reason or "–"

    @admin.display(description="Methods")
    def shown_methods(self, flow: Flow) -> str:
        return as_list(flow.methods)

    @admin.display(description="Started")
    def started(self, flow: Flow) -> str:
        return clock(flow.started_at)

    def sections(self, obj: Flow) -> Sequence[Section]:
        gates = Gate.objects.filter(flow=obj).order_by("step")
        messages = Message.objects.filter(correlation_id=obj.pk).order_by("created_at", "id")
        return [
            Section("Timeline", STEP_COLUMNS, steps_of(obj.pk)),
            Section(
                "Proofs passed",
                ("Time", "Step", "Method"),
                [(clock(gate.passed_at), gate.step, as_words(gate.method)) for gate in gates],
            ),
            Section(
                "Messages",
                ("Time", "Kind", "Channel", "To", "State"),
                [
                    (
                        row_link(message, clock(message.created_at)),
                        as_words(message.kind),
                        message.channel,
                        recipient_hint(message),
                        message.state,
                    )
                    for message in messages
                ],
            ),
        ]
