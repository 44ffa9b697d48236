"""A colleague is asked whether it is really this person; the answer comes by a link."""

from typing import Any, ClassVar

from django.db import models

from tenants.scoping import TenantModel


class Approval(TenantModel):
    """One question to one approver, and what they said. Only the hash of the link's token is kept.

    Without a person and an approver it is a decoy: the same row, which nobody was sent. `tries`
    counts references that were typed; `challenge` is what the answer is for.
    """

    class Decision(models.TextChoices):
        WAITING = ""
        APPROVED = "approved"
        DENIED = "denied"

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="approvals"
    )
    approver = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="+"
    )
    challenge = models.UUIDField()
    token_hash = models.BinaryField(max_length=32)
    reference = models.CharField(max_length=9)
    address = models.CharField(max_length=45, blank=True)
    decision = models.CharField(
        max_length=10, choices=Decision.choices, blank=True, default=Decision.WAITING
    )
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "token_hash"], name="approval_once"),
            models.UniqueConstraint(
                fields=["tenant", "challenge"], name="one_approval_a_challenge"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "expires_at"], name="approvals_by_end")
        ]

    def __str__(self) -> str:
        return self.reference
