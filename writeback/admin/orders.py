"""Resets that administrators ordered: what became of each, and the password, shown once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from tenants.admin import Section, tenant_site
from tenants.admin.base import row_link, row_url
from tenants.admin.forms import Administrator, IntentForm
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.paging import KeysetAdmin
from tenants.admin.permissions import Permission
from tenants.admin.trail import clock
from tenants.invalid import refusal

from ..job_words import STATES, TOLD, end_in_words
from ..models import DirectoryOrder, WritebackJob
from ..services.ordering import ENDS_WITHIN, can_be_shown, is_own, reveal

LOOKS_EVERY = 3
"""Seconds after which the page of an order without an outcome loads itself again."""
WORKING = (
    "The directory is asked. This takes a few seconds; the page loads itself again until the "
    "outcome is known."
)
SILENT = "Nothing was heard of this order. Look at the jobs below, and order another reset."
NOT_SHOWN = "The temporary password was shown already, or ten minutes have passed. Order another."


class ShowForm(IntentForm):
    """The password stands on the answer to this form alone."""

    submit = "Show the temporary password"
    done = (
        "This is the temporary password. It is shown this once; tell it to nobody but the person, "
        "who has to choose another one at the next sign-in."
    )
    intro = "It can be shown once, in this session and within ten minutes of the order."

    def save(self, now: datetime) -> DirectoryOrder:
        self._password = reveal(self.row, self.by.party, self.by.session, now)
        if self._password is None:
            raise refusal("", "gone", NOT_SHOWN)
        row: DirectoryOrder = self.row
        return row

    def shown_once(self) -> tuple[str, str] | None:
        return ("Temporary password", self._password.reveal()) if self._password else None


@dataclass(frozen=True)
class OwnIntent(Intent):
    """Open to the session that ordered alone."""

    def is_open_to(self, by: Administrator, row: Any) -> bool:
        return super().is_open_to(by, row) and is_own(row, by.id, by.session)


def _can_be_shown(row: DirectoryOrder) -> bool:
    return can_be_shown(row, timezone.now())


def _is_waiting(row: DirectoryOrder) -> bool:
    return not row.outcome and timezone.now() - row.created_at < ENDS_WITHIN


@admin.register(DirectoryOrder, site=tenant_site)
class DirectoryOrderAdmin(KeysetAdmin, EditableAdmin):
    """Who had whose password reset in the directory, newest first."""

    heading = "Resets by administrators"
    area, place = "Recovery", 17
    note = "Ordered on the page of a person. Passwords are never in this list."
    list_display = ("created", "person", "ordered_by", "shown_outcome")
    list_select_related = ("user", "administrator")
    fields = ("person", "ordered_by", "created", "shown_outcome", "finished", "shown")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.intents.append(
            OwnIntent("show", ShowForm.submit, Permission.RESET, ShowForm, _can_be_shown)
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Loads itself again while the outcome is not known; no script is needed for that."""
        answer = super().changeform_view(request, object_id, form_url, extra_context)
        if _is_waiting(self.get_object(request, str(object_id))):
            answer.headers["Refresh"] = str(LOOKS_EVERY)
        return answer

    def tools_of(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        look = [("Check now", row_url(row))] if _is_waiting(row) else []
        return [*look, *super().tools_of(request, row)]

    def title_of(self, row: DirectoryOrder) -> str:
        return f"Reset for {row.user.user_id}"

    def told_of(self, row: DirectoryOrder) -> str:
        if row.outcome:
            return TOLD.get(row.outcome, row.outcome)
        return WORKING if _is_waiting(row) else SILENT

    @admin.display(description="Ordered")
    def created(self, row: DirectoryOrder) -> str:
        return clock(row.created_at)

    @admin.display(description="Person")
    def person(self, row: DirectoryOrder) -> str:
        return row_link(row.user, row.user.user_id)

    @admin.display(description="By")
    def ordered_by(self, row: DirectoryOrder) -> str:
        return row_link(row.administrator, row.administrator.user_id)

    @admin.display(description="Outcome")
    def shown_outcome(self, row: DirectoryOrder) -> str:
        return self.told_of(row)

    @admin.display(description="Known since")
    def finished(self, row: DirectoryOrder) -> str:
        return clock(row.finished_at) if row.finished_at is not None else "–"

    @admin.display(description="Temporary password shown")
    def shown(self, row: DirectoryOrder) -> str:
        return clock(row.shown_at) if row.shown_at is not None else "no"

    def sections(self, obj: DirectoryOrder) -> Sequence[Section]:
        rows = WritebackJob.objects.filter(origin=obj.pk).select_related("connector")
        jobs = [
            (
                row_link(job, job.connector.name),
                STATES.get(job.state, job.state),
                end_in_words(job.outcome, job.cause),
            )
            for job in rows.order_by("connector__name")
        ]
        return [Section("In each directory", ("Directory", "State", "Outcome"), jobs)]
