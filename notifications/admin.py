"""The message log on the administration site: that something was sent, never what it said."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Q

from tenants.admin import ReadOnlyAdmin, choice_filter, tenant_site
from tenants.admin.base import as_words, field_choices
from tenants.admin.paging import KeysetAdmin
from tenants.admin.search import journey_link, recent_journeys_of
from tenants.admin.trail import SinceFilter, clock
from tenants.keys import SealBroken
from tenants.masking import masked_email, masked_phone
from tenants.reference import find_reference

from .kinds import KINDS
from .models import Message
from .services import get_recipient


def recipient_hint(message: Message) -> str:
    """Enough of the address to recognise it: ends of a mailbox, last two digits of a number."""
    try:
        address = get_recipient(message).reveal()
    except SealBroken:
        return "can't be read"
    if not address:
        return "nobody"
    if message.channel == Message.Channel.PUSH:
        return "a device"
    if "@" in address:
        return masked_email(address)
    return masked_phone(address.partition(";")[0])


@admin.register(Message, site=tenant_site)
class MessageAdmin(KeysetAdmin, ReadOnlyAdmin):
    """What people were told, newest first."""

    heading = "Messages"
    area, place = "Recovery", 20
    list_display = ("created", "shown_kind", "channel", "recipient_hint", "shown_state", "journey")
    list_filter = (
        SinceFilter,
        choice_filter("state", "state", field_choices("state", dict(Message.State.choices))),
        choice_filter(
            "channel", "channel", field_choices("channel", dict(Message.Channel.choices))
        ),
        choice_filter("kind", "kind", field_choices("kind", {key: as_words(key) for key in KINDS})),
    )
    search_fields = ("reference",)
    search_help_text = (
        "A reference code such as K7M4-92QX, or a whole user ID for messages of recent journeys."
    )
    fields = (
        "shown_kind",
        "channel",
        "recipient_hint",
        "language",
        "state",
        "attempts",
        "error",
        "provider_id",
        "journey",
        "created",
        "due_at",
        "sent_at",
        "expires_at",
    )

    def search_branches(self, text: str) -> Sequence[Q]:
        reference = find_reference(text)
        if reference is not None:
            return [Q(reference=reference)]
        journeys = recent_journeys_of(text)
        return [Q(correlation_id__in=journeys)] if journeys else []

    @admin.display(description="Journey")
    def journey(self, message: Message) -> str:
        return journey_link(message.reference)

    @admin.display(description="State")
    def shown_state(self, message: Message) -> str:
        return f"{message.state}: {message.error}" if message.error else message.state

    @admin.display(description="Created")
    def created(self, message: Message) -> str:
        return clock(message.created_at)

    @admin.display(description="Kind")
    def shown_kind(self, message: Message) -> str:
        return as_words(message.kind)

    @admin.display(description="To")
    def recipient_hint(self, message: Message) -> str:
        return recipient_hint(message)
