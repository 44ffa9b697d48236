"""The outbox: what people and machines are told. The row is the truth, sending a wake-up."""

from typing import Any, ClassVar

from django.db import models

from tenants.ids import ordered_id
from tenants.scoping import TenantModel


class Message(TenantModel):
    """One message to one recipient on one channel.

    The address and the context are sealed. A one-time code is not in the row: `code_nonce` and
    `code_binding` say which code it is, and it is derived when the message is rendered, so that a
    repeated sending carries the same code.
    """

    id = models.UUIDField(primary_key=True, default=ordered_id, editable=False)

    class Channel(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"
        VOICE = "voice"
        PUSH = "push"
        NONE = "none"  # a decoy: takes the same way and goes nowhere

    class State(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"
        EXPIRED = "expired"

    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    recipient = models.BinaryField(editable=False)
    language = models.CharField(max_length=12)
    context = models.BinaryField(editable=False)
    code_nonce = models.BinaryField(null=True, editable=False)
    code_binding = models.BinaryField(null=True, editable=False)
    reference = models.CharField(max_length=9, blank=True)
    correlation_id = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)
    provider_id = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["tenant", "due_at"],
                name="message_due",
                condition=models.Q(state="queued"),
            ),
            models.Index(fields=["tenant", "-created_at", "-id"], name="message_newest_first"),
            models.Index(fields=["tenant", "correlation_id"], name="messages_of_journey"),
            models.Index(
                fields=["tenant", "reference", "-created_at", "-id"],
                name="message_by_reference",
                condition=~models.Q(reference=""),
            ),
            models.Index(
                fields=["tenant", "kind", "channel", "-created_at", "-id"], name="message_by_kind"
            ),
            models.Index(
                fields=["tenant", "channel", "-created_at", "-id"], name="message_by_channel"
            ),
            models.Index(
                fields=["tenant", "state", "-created_at", "-id"],
                name="message_not_delivered",
                condition=models.Q(state__in=["failed", "expired"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"


class PushSubscription(TenantModel):
    """Where a device takes Web Push messages. The address is a capability, so it is sealed."""

    device = models.UUIDField()
    sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "device"], name="one_push_a_device")
        ]

    def __str__(self) -> str:
        return str(self.device)


class ProviderSetting(TenantModel):
    """Which provider carries a tenant's text messages or calls, with its credentials sealed."""

    class Channel(models.TextChoices):
        SMS = "sms"
        VOICE = "voice"

    channel = models.CharField(max_length=10, choices=Channel.choices)
    kind = models.CharField(max_length=20)
    sealed_config = models.BinaryField(editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "channel"], name="one_provider_a_channel")
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.kind}"
