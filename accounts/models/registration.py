"""What a person is registering, until it is proved; and what takes a change back."""

from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class PendingRegistration(TenantModel):
    """Something that waits for its proof: bound to person and session, used once, for minutes.

    `sealed` says what would be registered. A code is not in the row: it is derived from `nonce`.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=24)
    channel = models.CharField(max_length=10, blank=True)
    sealed = models.BinaryField(editable=False)
    nonce = models.BinaryField(max_length=16, editable=False)
    session_hash = models.BinaryField(max_length=32, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    sends = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "user", "method"], name="pending_of_person")
        ]

    def __str__(self) -> str:
        return self.method

    def write(self, value: str) -> None:
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed = keys.seal(value, self.bound_to)

    def read(self) -> Secret[str]:
        """What would be registered. Raises SealBroken."""
        return tenant_keys().open_text(bytes(self.sealed), self.bound_to)

    @property
    def bound_to(self) -> bytes:
        """What the sealed value and the code belong to: no other person, method or try has it."""
        return binding(self.tenant_id, "registration", self.user_id, self.method, self.id)


class MethodUndo(TenantModel):
    """A link that takes one change of what is registered back, once, within three days.

    The row keeps the hash of the token, and sealed what was there before.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=24)
    name = models.CharField(max_length=100, blank=True)
    token_hash = models.BinaryField(max_length=32, editable=False)
    sealed = models.BinaryField(editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "token_hash"], name="undo_token_once")
        ]

    def __str__(self) -> str:
        return self.method

    def write(self, value: str) -> None:
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed = keys.seal(value, self._binding())

    def read(self) -> Secret[str]:
        """What was there before the change. Raises SealBroken."""
        return tenant_keys().open_text(bytes(self.sealed), self._binding())

    def _binding(self) -> bytes:
        return binding(self.tenant_id, "undo", self.user_id, self.id)
