"""Addresses and numbers on file: sealed, found by a blind index, versioned."""

from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class ContactPoint(TenantModel):
    """One address or number of a person.

    A change raises `version`, which voids gates that were passed with the old one.
    """

    class Kind(models.TextChoices):
        PRIMARY_EMAIL = "primary_email"
        ALTERNATE_EMAIL = "alternate_email"
        MOBILE_PHONE = "mobile_phone"
        OFFICE_PHONE = "office_phone"

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="contacts")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    sealed = models.BinaryField(editable=False)
    lookup = models.BinaryField(max_length=32, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # When a message to it came back for good. It counts all the same until its owner decides.
    stale_at = models.DateTimeField(null=True, blank=True, editable=False)
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "user", "kind"], name="one_contact_a_kind")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "lookup"], name="contact_by_value")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    def _binding(self) -> bytes:
        return binding(self.tenant_id, self.user_id, self.kind, self.id)

    def write(self, value: str, anchor: str) -> None:
        """Seals `value`; `anchor` is its comparable form (E.164, or a folded mailbox)."""
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed = keys.seal(value, self._binding())
        self.lookup = contact_lookup(anchor)

    def read(self) -> Secret[str]:
        """The address or number. Raises SealBroken when the row was tampered with."""
        return tenant_keys().open_text(bytes(self.sealed), self._binding())


def contact_lookup(anchor: str) -> bytes:
    """Blind index of an anchor within the tenant in force."""
    return tenant_keys().mac("contact", anchor)
