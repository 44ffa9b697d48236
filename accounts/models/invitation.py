"""Somebody from outside on the way in: invited by an administrator, or signing up by themselves."""

from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class Invitation(TenantModel):
    """A link to a mailbox; whoever opens it has the mailbox. Only the hash of its token is kept.

    A row whose `used_at` stood from the start belongs to an address that may not sign up: it costs
    the same as a real one and leads nowhere.
    """

    class Origin(models.TextChoices):
        SELF_SERVICE_SIGN_UP = "self_service_sign_up"
        INVITATION = "invitation"
        PERSONAL = "personal"

    origin = models.CharField(max_length=24, choices=Origin.choices)
    sealed_email = models.BinaryField(editable=False)
    display_name = models.CharField(max_length=256, blank=True)
    language = models.CharField(max_length=12, blank=True)
    token_hash = models.BinaryField(max_length=32, editable=False)
    invited_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "token_hash"], name="invitation_once")
        ]

    def __str__(self) -> str:
        return self.origin

    def write(self, email: str) -> None:
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed_email = keys.seal(email, binding(self.tenant_id, "invitation", self.id))

    def read(self) -> Secret[str]:
        """The address. Raises SealBroken when the row was tampered with."""
        where = binding(self.tenant_id, "invitation", self.id)
        return tenant_keys().open_text(bytes(self.sealed_email), where)
