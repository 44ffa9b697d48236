"""Blocks on the page of a person: which hold, until when, and lifting them with a reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib.admin import SimpleListFilter
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from tenants.admin import Section, tenant_site
from tenants.admin.base import as_words
from tenants.admin.forms import ReasonForm
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.permissions import Permission
from tenants.admin.search import journey_link
from tenants.admin.trail import clock
from tenants.limits import DAY, FLOW_LIFETIME

from .flow import State
from .services.blocks import Block, blocks_of, lift_blocks

WORDS = {
    "failed_proofs": "Too many proofs failed, over all methods",
    "failed_method": "Too many wrong answers",
    "phone_sends": "Too many text messages and calls",
    "email_sends": "Too many mails with codes",
    "reset_attempts": "Too many tries to reset",
    "starts_by_person": "Too many journeys started",
    "failed_in_tenant": "Too many proofs failed in the whole organisation",
    "failed_step_up": "Too many proofs failed while signed in",
    "sign_in_lock": "Too many wrong passwords at the sign-in",
    "journey": "A journey is locked",
}
NOT_OURS = (
    "Limits that count a network address, a mailbox or a phone number over all organisations are "
    "neither shown nor lifted here; they end by themselves, within a day at most."
)
_COLUMNS = ("What holds", "Method or journey", "Until", "Can be lifted")


def section_of(user: User) -> Sequence[Section]:
    rows = [_row(block) for block in blocks_of(user, timezone.now())]
    return [Section("Blocks", _COLUMNS, rows, empty="No limit holds now.", about=NOT_OURS)]


def _row(block: Block) -> tuple[Any, ...]:
    about = journey_link(block.reference) if block.reference else as_words(block.method) or "all"
    lifted = "no, it holds for everybody" if block.whole_tenant else "yes"
    return WORDS[block.limit], about, clock(block.until), lifted


def has_blocks(user: User) -> bool:
    return any(not block.whole_tenant for block in blocks_of(user, timezone.now()))


class LiftForm(ReasonForm):
    """Lifts everything that holds for one person."""

    submit, done = "Lift blocks", "The blocks are lifted. The person may start again at once."
    intro = (
        "Be sure that you speak with the right person: who lifts a block gives whoever knows the "
        "user ID new tries. " + NOT_OURS
    )

    def told_before(self) -> str:
        own = [each for each in blocks_of(self.row, timezone.now()) if not each.whole_tenant]
        told = "; ".join(f"{WORDS[each.limit].lower()} until {clock(each.until)}" for each in own)
        return f"What holds: {told}. {self.intro}" if told else self.intro

    def save(self, now: datetime) -> User:
        lift_blocks(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)
        user: User = self.row
        return user


class LockedNowFilter(SimpleListFilter):
    """Journeys that are locked at this moment."""

    title = "lock"
    parameter_name = "locked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "Locked now")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        if self.value() is None:
            return queryset
        if self.value() != "now":
            return queryset.none()
        now = timezone.now()
        # A lock lasts a day and falls into the life of its journey, so older ones needn't be read.
        since = now - DAY - FLOW_LIFETIME
        return queryset.filter(state=State.LOCKED, blocked_until__gt=now, started_at__gt=since)


def extend() -> None:
    """Adds blocks, and what lifts them, to every person."""
    people = cast(EditableAdmin, tenant_site.get_model_admin(User))
    people.more_sections.append(section_of)
    people.intents.append(
        Intent("lift", "Lift blocks", Permission.LIFT_BLOCKS, LiftForm, has_blocks)
    )
