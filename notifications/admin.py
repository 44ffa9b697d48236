"""The message log on the administration site: that something was sent, never what it said."""

from typing import Any

from django.contrib import admin
from django.db import models

from tenants.admin import ReadOnlyAdmin, choice_filter, tenant_site
from tenants.admin.base import as_words, field_choices
from tenants.admin.trail import clock
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
    if "@" in address:
        return masked_email(address)
    return masked_phone(address.partition(";")[0])


@admin.register(Message, site=tenant_site)
class MessageAdmin(ReadOnlyAdmin):
    """What people were told, newest first."""

    heading = "Messages"
    area, place = "Recovery", 20
    ordering = ("-created_at", "-id")
    list_display = ("created", "shown_kind", "channel", "recipient_hint", "state", "reference")
    list_filter = (
        choice_filter("state", "state", field_choices("state", dict(Message.State.choices))),
        choice_filter(
            "channel", "channel", field_choices("channel", dict(Message.Channel.choices))
        ),
        choice_filter("kind", "kind", field_choices("kind", {key: as_words(key) for key in KINDS})),
    )
    search_fields = ("reference",)
    search_help_text = "A reference code such as K7M4-92QX."
    fields = (
        "shown_kind",
        "channel",
        "recipient_hint",
        "language",
        "state",
        "attempts",
        "error",
        "provider_id",
        "reference",
        "created",
        "due_at",
        "sent_at",
        "expires_at",
    )

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        reference = find_reference(text)
        return queryset.filter(reference=reference) if reference else queryset.none()

    @admin.display(description="Created")
    def created(self, message: Message) -> str:
        return clock(message.created_at)

    @admin.display(description="Kind")
    def shown_kind(self, message: Message) -> str:
        return as_words(message.kind)

    @admin.display(description="To")
    def recipient_hint(self, message: Message) -> str:
        return recipient_hint(message)
