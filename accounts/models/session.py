"""Signed-in sessions, behind the walls like everything else of a tenant."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from tenants.scoping import TenantModel


class Session(TenantModel):
    """A signed-in browser. Only the hash of its key is kept.

    browser, address: what its owner recognises it by in the list of sessions. methods: what was
    used to sign in and to prove more since. expires_at: when it ends unless it is used before.
    """

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="sessions"
    )
    key_hash = models.BinaryField(max_length=32)
    data = models.TextField()
    epoch = models.PositiveIntegerField(default=0)
    browser = models.CharField(max_length=80, blank=True)
    address = models.CharField(max_length=45, blank=True)
    methods = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "key_hash"], name="session_key_once")
        ]

    def __str__(self) -> str:
        return str(self.id)
