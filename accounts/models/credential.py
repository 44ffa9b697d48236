"""What people registered beside contacts, app seeds and questions: one table for all of it.

A passkey, a token, a set of backup codes, a pass: the method's own module knows what `sealed` and
`counter` mean. `counter` only rises, by a conditional update, so that of two racers one is wrong.
"""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class Credential(TenantModel):
    """One registered credential of a method, or one that waits for its owner (`user` is nothing).

    `lookup` is the blind index it is found by (a credential ID, a serial number), nothing where it
    is only found through its person. `version` voids gates that were passed before a change.
    """

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="credentials"
    )
    method = models.CharField(max_length=24)
    name = models.CharField(max_length=64, blank=True)
    site = models.CharField(max_length=255, blank=True)
    sealed = models.BinaryField(editable=False)
    lookup = models.BinaryField(max_length=32, null=True, editable=False)
    counter = models.BigIntegerField(default=-1, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)
    # Until when it proves nothing, because somebody misused it.
    paused_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["tenant", "method", "lookup"], name="credential_found_once"
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "user"], name="credentials_of_person")
        ]

    def __str__(self) -> str:
        return self.name or self.method

    @property
    def evidence(self) -> str:
        """What a gate that is passed with this is passed with."""
        return f"credential:{self.id}:{self.version}"

    def is_usable(self, now: datetime) -> bool:
        """Proved by its owner, not paused, and its time is not over."""
        if self.paused_until is not None and now < self.paused_until:
            return False
        return self.confirmed_at is not None and (self.expires_at is None or now < self.expires_at)

    def write(self, value: str | bytes) -> None:
        """Seals the secret part to tenant, owner, method and row: a row given to somebody else by
        hand does not open."""
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed = keys.seal(value, self._binding())

    def read(self) -> Secret[bytes]:
        """The secret part. Raises SealBroken when the row was tampered with."""
        return tenant_keys().open(bytes(self.sealed), self._binding())

    def give_to(self, user: Any) -> None:
        """Makes a credential that waited for its owner this person's. Raises SealBroken."""
        value = self.read().reveal()
        self.user = user
        self.write(value)

    def _binding(self) -> bytes:
        owner = self.user_id or "nobody"
        return binding(self.tenant_id, "credential", owner, self.method, self.id)


def credential_lookup(method: str, value: str) -> bytes:
    """Blind index of a credential within the tenant in force."""
    return tenant_keys().mac("credential", method, value)
