"""Jobs on the administration site: what directories were asked for and what became of it. What a
job carries is sealed and shown nowhere."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Q

from accounts.people import find_user
from tenants.admin import ReadOnlyAdmin, choice_filter, tenant_site
from tenants.admin.base import field_choices, row_link
from tenants.admin.paging import KeysetAdmin
from tenants.admin.search import journey_link, possible_user_ids
from tenants.admin.trail import SinceFilter, clock
from tenants.reference import find_reference

from ..job_words import OPERATIONS, OUTCOMES, STATES, cause_in_words, end_in_words
from ..models import DirectoryOrder, WritebackJob

PURPOSES = {key: str(words) for key, words in WritebackJob.Purpose.choices}


@admin.register(WritebackJob, site=tenant_site)
class JobAdmin(KeysetAdmin, ReadOnlyAdmin):
    """What directories were asked for, newest first."""

    heading = "Directory jobs"
    area, place = "Recovery", 25
    list_select_related = ("user", "connector")
    list_display = ("created", "person", "directory", "purpose_in_words", "asked", "end", "journey")
    list_filter = (
        SinceFilter,
        choice_filter("state", "state", field_choices("state", STATES)),
        choice_filter(
            "outcome",
            "outcome",
            field_choices("outcome", {key: text for key, text in OUTCOMES.items() if key}),
        ),
        choice_filter("purpose", "purpose", field_choices("purpose", PURPOSES)),
    )
    search_fields = ("reference",)
    search_help_text = "A reference code such as K7M4-92QX, or a whole user ID."
    fields = (
        "person",
        "directory",
        "anchor",
        "purpose_in_words",
        "asked",
        "must_change",
        "attempt",
        "shown_state",
        "shown_outcome",
        "cause_in_words",
        "changed",
        "unlocked",
        "reconciled",
        "answer",
        "agent",
        "fence",
        "controller",
        "comes_from",
        "created",
        "taken",
        "finished",
        "id",
    )

    def search_branches(self, text: str) -> Sequence[Q]:
        reference = find_reference(text)
        if reference is not None:
            return [Q(reference=reference)]
        found = {find_user(user_id) for user_id in possible_user_ids(text)}
        return [Q(user=user) for user in found if user is not None]

    def title_of(self, row: WritebackJob) -> str:
        return f"Job of {clock(row.created_at)}"

    @admin.display(description="Asked")
    def created(self, job: WritebackJob) -> str:
        return clock(job.created_at)

    @admin.display(description="Person")
    def person(self, job: WritebackJob) -> str:
        return row_link(job.user, job.user.user_id) if job.user is not None else "–"

    @admin.display(description="Directory")
    def directory(self, job: WritebackJob) -> str:
        return row_link(job.connector, job.connector.name)

    @admin.display(description="Purpose")
    def purpose_in_words(self, job: WritebackJob) -> str:
        return PURPOSES.get(job.purpose, job.purpose)

    @admin.display(description="Asked for")
    def asked(self, job: WritebackJob) -> str:
        return OPERATIONS.get(job.operation, job.operation)

    @admin.display(description="Outcome")
    def end(self, job: WritebackJob) -> str:
        if job.outcome:
            return end_in_words(job.outcome, job.cause)
        return STATES.get(job.state, job.state)

    @admin.display(description="State")
    def shown_state(self, job: WritebackJob) -> str:
        return STATES.get(job.state, job.state)

    @admin.display(description="Outcome")
    def shown_outcome(self, job: WritebackJob) -> str:
        return OUTCOMES.get(job.outcome, job.outcome)

    @admin.display(description="Why")
    def cause_in_words(self, job: WritebackJob) -> str:
        return cause_in_words(job.cause) or "–"

    @admin.display(description="Journey")
    def journey(self, job: WritebackJob) -> str:
        return journey_link(job.reference)

    @admin.display(description="Comes from")
    def comes_from(self, job: WritebackJob) -> str:
        if job.purpose == WritebackJob.Purpose.ORDER:
            order = DirectoryOrder.objects.filter(pk=job.origin).first()
            return row_link(order, "a reset by an administrator") if order is not None else "–"
        return journey_link(job.reference)

    @admin.display(description="Taken by an agent")
    def taken(self, job: WritebackJob) -> str:
        return clock(job.taken_at) if job.taken_at is not None else "–"

    @admin.display(description="Ended")
    def finished(self, job: WritebackJob) -> str:
        return clock(job.finished_at) if job.finished_at is not None else "–"
