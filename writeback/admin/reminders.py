"""Reminders on the administration site: how people are reminded, who was, and what failed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.people import find_user
from notifications.admin import recipient_hint
from notifications.models import Message
from tenants.admin import ReadOnlyAdmin, Section, tenant_site
from tenants.admin.base import SingleRowAdmin, as_words, row_link
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.paging import KeysetAdmin, KeysetChangeList, Order
from tenants.admin.permissions import Permission
from tenants.admin.search import possible_user_ids
from tenants.admin.trail import SinceFilter, clock

from ..models import ExpiryReminders, Reminder
from ..services import reminders, summaries
from ..services.reminding import names_of
from .reminder_form import CHANNELS, RemindersForm

NEWEST = 10
KINDS = (reminders.KIND, summaries.KIND)
NOT_KNOWN = "not known: sent by an earlier version"
NO_ADDRESS = "nobody was told: no address is on file"
_NOT_DELIVERED = Q(state__in=[Message.State.FAILED, Message.State.EXPIRED])
_WAYS = {"email": "by mail", "sms": "by text message"}
_COLUMNS = ("Sent", "Person", "Directory", "Mark", "What became of it")


def messages_of(rows: Iterable[Reminder]) -> dict[UUID, list[Message]]:
    """Correlation id → messages, of all these reminders with one statement."""
    ids = {row.told for row in rows if row.told is not None}
    found: dict[UUID, list[Message]] = {}
    for message in Message.objects.filter(correlation_id__in=ids).order_by("channel", "pk"):
        found.setdefault(message.correlation_id, []).append(message)
    return found


def outcome_of(row: Reminder, known: Mapping[UUID, Sequence[Message]]) -> str:
    """What became of a reminder, in words."""
    if row.told is None:
        return NOT_KNOWN
    states = [f"{_way(each)}: {_state(each)}" for each in known.get(row.told, ())]
    return "; ".join(states) or NO_ADDRESS


def _way(message: Message) -> str:
    return _WAYS.get(message.channel, message.channel)


def _state(message: Message) -> str:
    return f"{message.state} ({message.error})" if message.error else message.state


def _mark(row: Reminder) -> str:
    return "1 day before" if row.day == 1 else f"{row.day} days before"


def settings_in_words(row: ExpiryReminders | None) -> str:
    if row is None or not row.days:
        return "nobody is reminded"
    way = CHANNELS[row.channel]
    return f"{_days(row)} days before the end, {way[:1].lower()}{way[1:]}"


def _days(row: ExpiryReminders) -> str:
    return ", ".join(map(str, row.days))


def reminders_section() -> Section:
    """What leads from a directory to its reminders."""
    row = ExpiryReminders.objects.first()
    last = Reminder.objects.order_by("-sent_at", "-id").first()
    return Section(
        "Expiry reminders",
        ("Page", "Now"),
        [
            (_list_link(ExpiryReminders, RemindersAdmin.heading), settings_in_words(row)),
            (
                _list_link(Reminder, ReminderAdmin.heading),
                f"last one {clock(last.sent_at)}" if last is not None else "none yet",
            ),
        ],
        about="The same for all directories.",
    )


def _list_link(model: Any, text: str) -> str:
    options = model._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return format_html('<a href="{}">{}</a>', url, text)


@admin.register(ExpiryReminders, site=tenant_site)
class RemindersAdmin(SingleRowAdmin, EditableAdmin):
    """When and how people are told that their password in a directory ends."""

    heading = "Expiry reminders"
    area, place = "Rules", 20
    note = "Nobody is reminded yet before a password in a directory ends."
    adder = editor = Intent("reminders", "Expiry reminders", Permission.POLICY, RemindersForm)
    ordering = ("id",)
    list_display = ("shown_days", "shown_channel")
    fields = (
        "shown_days",
        "shown_channel",
        "shown_groups",
        "exclude_unregistered",
        "managers_summary",
        "shown_texts",
    )

    @admin.display(description="Days before the end")
    def shown_days(self, row: ExpiryReminders) -> str:
        return _days(row) or "none: nobody is reminded"

    @admin.display(description="How people are told")
    def shown_channel(self, row: ExpiryReminders) -> str:
        return CHANNELS.get(row.channel, row.channel)

    @admin.display(description="Groups that are left out")
    def shown_groups(self, row: ExpiryReminders) -> str:
        return ", ".join(names_of(row)) or "–"

    @admin.display(description="Own words in")
    def shown_texts(self, row: ExpiryReminders) -> str:
        names = [name for tag, name in settings.LANGUAGES if row.texts.get(tag)]
        return ", ".join(names) or "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not ExpiryReminders.objects.exists()

    def facts(self, row: ExpiryReminders) -> Sequence[tuple[str, Any]]:
        done = row.week_done.isoformat() if row.week_done is not None else "none yet"
        return [("Week of the last summary to managers", done if row.managers_summary else "–")]

    def sections(self, obj: ExpiryReminders) -> Sequence[Section]:
        return [_newest(), _not_delivered()]


def _newest() -> Section:
    rows = Reminder.objects.select_related("link__user", "link__connector")
    newest = list(rows.order_by("-sent_at", "-id")[:NEWEST])
    known = messages_of(newest)
    lines = [
        (
            row_link(row, clock(row.sent_at)),
            row.link.user.user_id,
            row.link.connector.name,
            _mark(row),
            outcome_of(row, known),
        )
        for row in newest
    ]
    about = format_html("All of them: {}.", _list_link(Reminder, ReminderAdmin.heading))
    return Section("Newest reminders", _COLUMNS, lines, empty="None yet.", about=about)


def _not_delivered() -> Section:
    rows = Message.objects.filter(_NOT_DELIVERED, kind__in=KINDS)
    lines = [
        (row_link(row, clock(row.created_at)), as_words(row.kind), _way(row), _state(row))
        for row in rows.order_by("-created_at", "-id")[:NEWEST]
    ]
    return Section(
        "Newest that were not delivered",
        ("Written", "Message", "Way", "State"),
        lines,
        about="To people and to managers.",
    )


class SentFilter(SinceFilter):
    """Reminders of the last days."""

    column = "sent_at"


class DeliveryFilter(SimpleListFilter):
    """Reminders of which a message was not delivered."""

    title = "delivery"
    parameter_name = "delivery"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Not delivered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        value = self.value()
        if value is None:
            return queryset
        if value != "failed":
            return queryset.none()
        failed = Message.objects.filter(_NOT_DELIVERED, kind=reminders.KIND)
        return queryset.filter(told__in=failed.values("correlation_id"))


class ReminderList(KeysetChangeList):
    """Knows what became of the rows' messages: found out with one statement for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        known = messages_of(self.result_list)
        for row in self.result_list:
            row.outcome = outcome_of(row, known)


@admin.register(Reminder, site=tenant_site)
class ReminderAdmin(KeysetAdmin, ReadOnlyAdmin):
    """Who was reminded of which password when, newest first."""

    heading = "Reminders sent"
    area, place = "Recovery", 27
    note = "A reminder is removed 30 days after its password ended."
    order = Order(("sent_at", "id"), descending=True)
    list_display = ("sent", "person", "directory", "mark", "ends", "outcome")
    list_select_related = ("link__user", "link__connector")
    list_filter = (SentFilter, DeliveryFilter)
    search_fields = ("link",)
    search_help_text = "A whole user ID."
    fields = ("sent", "person", "directory", "mark", "ends")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ReminderList

    def search_branches(self, text: str) -> Sequence[Q]:
        found = {find_user(user_id) for user_id in possible_user_ids(text)}
        return [Q(link__user=user) for user in found if user is not None]

    def title_of(self, row: Reminder) -> str:
        return f"Reminder of {clock(row.sent_at)}"

    def told_of(self, row: Reminder) -> str:
        return f"What became of it: {outcome_of(row, messages_of([row]))}."

    def sections(self, obj: Reminder) -> Sequence[Section]:
        known = messages_of([obj])
        lines = [
            (row_link(each, clock(each.created_at)), _way(each), recipient_hint(each), _state(each))
            for messages in known.values()
            for each in messages
        ]
        return [Section("Messages", ("Written", "Way", "To", "State"), lines)]

    @admin.display(description="Sent")
    def sent(self, row: Reminder) -> str:
        return clock(row.sent_at)

    @admin.display(description="Person")
    def person(self, row: Reminder) -> str:
        return row_link(row.link.user, row.link.user.user_id)

    @admin.display(description="Directory")
    def directory(self, row: Reminder) -> str:
        return row_link(row.link.connector, row.link.connector.name)

    @admin.display(description="Mark")
    def mark(self, row: Reminder) -> str:
        return _mark(row)

    @admin.display(description="Password ends")
    def ends(self, row: Reminder) -> str:
        return clock(row.password_ends)

    @admin.display(description="What became of it")
    def outcome(self, row: Any) -> str:
        found: str = row.outcome
        return found
