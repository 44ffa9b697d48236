"""Other services that say who somebody is (OpenID Connect), and sign-ins there under way."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class IdentityProvider(TenantModel):
    """A provider the tenant trusts. `slug` names it in addresses. An identity there is its issuer
    and subject; what it says about emails links nobody (R-26)."""

    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=100)
    issuer = models.CharField(max_length=500)
    client_id = models.CharField(max_length=255)
    sealed_secret = models.BinaryField(null=True, editable=False)
    scopes = models.CharField(max_length=200, default="openid")
    signs_in = models.BooleanField(default=False)
    proves = models.BooleanField(default=False)
    is_enabled = models.BooleanField("enabled", default=True)
    created_at = models.DateTimeField(editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="provider_slug_once"),
            models.UniqueConstraint(fields=["tenant", "issuer"], name="provider_issuer_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def write_secret(self, secret: Secret[str]) -> None:
        """Seals the secret to issuer and client: it is never sent to another issuer that somebody
        wrote into the row."""
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed_secret = keys.seal(secret.reveal(), self._binding())

    def find_secret(self) -> Secret[str] | None:
        """The client's secret; nothing for a public client. Raises SealBroken."""
        if self.sealed_secret is None:
            return None
        return tenant_keys().open_text(bytes(self.sealed_secret), self._binding())

    def _binding(self) -> bytes:
        return binding(self.tenant_id, "provider", self.id, self.issuer, self.client_id)


class Redirection(TenantModel):
    """Somebody of this browser is away at a provider; each is answered once.

    purpose: what it is for; bound_to: whom or what exactly (a person, a challenge), as a keyed
    hash. sealed holds nonce, PKCE verifier and where to go on. After the return `subject_lookup`
    says whose identity it was (blind index), which `taken_at` marks as spent.
    """

    class Purpose(models.TextChoices):
        SIGN_IN = "sign_in"
        LINK = "link"
        PROOF = "proof"

    provider = models.ForeignKey(
        IdentityProvider, on_delete=models.CASCADE, related_name="redirections"
    )
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    bound_to = models.BinaryField(max_length=32, editable=False)
    browser_hash = models.BinaryField(max_length=32, editable=False)
    sealed = models.BinaryField(editable=False)
    expires_at = models.DateTimeField(editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    subject_lookup = models.BinaryField(max_length=32, null=True, editable=False)
    sealed_subject = models.BinaryField(null=True, editable=False)
    taken_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta(TenantModel.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "bound_to"], name="redirections_of_something"),
            models.Index(fields=["tenant", "expires_at"], name="redirections_by_age"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_open(self, now: datetime) -> bool:
        return self.answered_at is None and now < self.expires_at

    def write(self, value: str) -> None:
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed = keys.seal(value, self._binding("asked"))

    def read(self) -> Secret[str]:
        """What was remembered when it began. Raises SealBroken."""
        return tenant_keys().open_text(bytes(self.sealed), self._binding("asked"))

    def write_subject(self, value: str) -> None:
        self.sealed_subject = tenant_keys().seal(value, self._binding("answered"))

    def read_subject(self) -> Secret[str]:
        """Whose identity came back. Raises SealBroken."""
        sealed = self.sealed_subject if self.sealed_subject is not None else b""
        return tenant_keys().open_text(bytes(sealed), self._binding("answered"))

    def _binding(self, part: str) -> bytes:
        return binding(self.tenant_id, "redirection", self.id, self.provider_id, part)
