"""Authenticator apps: time-based codes (RFC 6238) with the seed sealed."""

from typing import Any, ClassVar

from django.db import models
from django_otp.models import Device

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantManager, TenantModel
from tenants.secret import Secret


class AuthenticatorDevice(TenantModel, Device):
    """One registered authenticator app. A step of time is accepted once, everywhere (R-10)."""

    sealed_seed = models.BinaryField(editable=False)
    last_step = models.BigIntegerField(default=-1, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[TenantManager[Any]] = TenantManager()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = []

    def __str__(self) -> str:
        return str(self.name)

    def _binding(self) -> bytes:
        return binding(self.tenant_id, self.user_id, "app_code", self.id)

    def write_seed(self, seed: bytes) -> None:
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed_seed = keys.seal(seed, self._binding())

    def read_seed(self) -> Secret[bytes]:
        """The seed. Raises SealBroken when the row was tampered with."""
        return tenant_keys().open(bytes(self.sealed_seed), self._binding())
