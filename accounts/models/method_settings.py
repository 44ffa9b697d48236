"""What some methods need to know of the tenant: whom to ask, and who checks YubiKeys."""

from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class MethodSettings(TenantModel):
    """One row a tenant, or none.

    approver: who confirms for people without a manager who could be asked. The others: the
    validation server for YubiKeys, its client ID, and its key, sealed.
    """

    approver = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    validation_url = models.CharField(max_length=200, blank=True)
    validation_client = models.CharField(max_length=20, blank=True)
    sealed_key = models.BinaryField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant"], name="one_method_settings_a_tenant")
        ]

    def __str__(self) -> str:
        return "settings of methods"

    @property
    def has_server(self) -> bool:
        return bool(self.validation_url and self.validation_client and self.sealed_key)

    def write_key(self, key: str) -> None:
        """Seals the key of the validation server to its address: another server never gets it."""
        self.tenant_id = tenant_keys().tenant
        self.sealed_key = tenant_keys().seal(key, self._binding()) if key else None

    def read_key(self) -> Secret[str]:
        """Raises SealBroken, also where the address was changed by hand."""
        return tenant_keys().open_text(bytes(self.sealed_key or b""), self._binding())

    def _binding(self) -> bytes:
        return binding(
            self.tenant_id, "validation server", self.validation_url, self.validation_client
        )
