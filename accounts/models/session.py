"""Signed-in sessions, behind the walls like everything else of a tenant."""

from typing import Any, ClassVar

from django.db import models

from tenants.scoping import TenantModel


class Session(TenantModel):
    """A session of the administration site. Only the hash of its key is kept."""

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="sessions"
    )
    key_hash = models.BinaryField(max_length=32)
    data = models.TextField()
    epoch = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "key_hash"], name="session_key_once")
        ]

    def __str__(self) -> str:
        return str(self.id)
