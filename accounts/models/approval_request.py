"""Requests that people approve in our own authenticator, with the two digits a page shows."""

from typing import Any, ClassVar

from django.db import models

from tenants.scoping import TenantModel


class ApprovalRequest(TenantModel):
    """One question to somebody's devices: is this you? The first decision is final (R-17).

    `challenge` is what is to be approved. Of the number there is a keyed hash only. `signature` is
    the device's, over challenge, tenant, number and decision: a row that was changed by hand does
    not have it. A decoy's row has no user and is shown on no device.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        DENIED = "denied"
        CANCELLED = "cancelled"
        REPUDIATED = "repudiated"

    class Purpose(models.TextChoices):
        RESET = "reset"
        SIGN_IN = "sign_in"
        ENROLMENT = "enrolment"

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="approval_requests"
    )
    challenge = models.UUIDField()
    # The only device that may answer; nothing where any of the person's may.
    meant_for = models.UUIDField(null=True)
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.RESET)
    reference = models.CharField(max_length=9, blank=True)
    address = models.CharField(max_length=45, blank=True)
    number_mac = models.BinaryField(max_length=32, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    cause = models.CharField(max_length=20, blank=True)
    decided_by = models.UUIDField(null=True)
    signature = models.BinaryField(max_length=64, null=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "challenge"], name="approval_of_challenge")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "user", "state"], name="approvals_of_person"),
            models.Index(
                fields=["tenant", "reference"],
                name="approvals_of_journey",
                condition=models.Q(state="pending"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.state}"
