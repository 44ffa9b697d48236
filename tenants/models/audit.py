"""The audit trail: events that are only ever added, and the chain of seals over them."""

from typing import Any, ClassVar

from django.db import models

from ..ids import ordered_id
from ..scoping import TenantModel


class AuditEvent(TenantModel):
    """One thing that happened. The runtime role may add and read events, never change them."""

    id = models.UUIDField(primary_key=True, default=ordered_id, editable=False)
    type = models.CharField(max_length=60)
    activity = models.CharField(max_length=120)
    result = models.CharField(max_length=10)
    reason = models.CharField(max_length=120, blank=True)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=120, blank=True)
    target_kind = models.CharField(max_length=20, blank=True)
    target_id = models.UUIDField(null=True)
    target_label = models.CharField(max_length=120, blank=True)
    correlation_id = models.UUIDField(null=True)
    reference = models.CharField(max_length=9, blank=True)
    address = models.CharField(max_length=45, blank=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="audit_newest_first"),
            models.Index(fields=["tenant", "reference"], name="audit_by_reference"),
            models.Index(fields=["tenant", "correlation_id"], name="audit_by_journey"),
            models.Index(
                fields=["tenant", "actor_label", "-created_at", "-id"], name="audit_by_actor"
            ),
            models.Index(
                fields=["tenant", "target_label", "-created_at", "-id"],
                name="audit_by_target",
                # Most events have one person as both; those are found as the actor's.
                condition=~models.Q(target_label=models.F("actor_label")),
            ),
            models.Index(
                fields=["tenant", "type", "result", "-created_at", "-id"], name="audit_by_type"
            ),
            models.Index(
                fields=["tenant", "result", "-created_at", "-id"],
                name="audit_not_succeeded",
                condition=models.Q(result__in=["failure", "denied"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M:%S} {self.type}"


class AuditPending(TenantModel):
    """An event that waits for its seal. A database trigger adds the row with the event."""

    event = models.OneToOneField(AuditEvent, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "created_at", "event"], name="audit_pending_order")
        ]

    def __str__(self) -> str:
        return str(self.event_id)


class AuditSeal(TenantModel):
    """The place of an event in its tenant's chain: gapless number, and hash over all before it."""

    id = models.UUIDField(primary_key=True, default=ordered_id, editable=False)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="seal")
    sequence = models.PositiveBigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "sequence"], name="one_seal_a_number")
        ]

    def __str__(self) -> str:
        return str(self.sequence)


class AuditHead(TenantModel):
    """Where a tenant's chain ends; locked while it grows."""

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.BinaryField(max_length=32, default=bytes(32))

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant"], name="one_chain_a_tenant")
        ]

    def __str__(self) -> str:
        return str(self.sequence)
