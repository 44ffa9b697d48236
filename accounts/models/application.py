"""Applications that let people sign in here (OpenID Connect), and what was given to them.

Nothing an application or a browser holds stands here: codes, tokens and secrets are kept as hashes
of 256 random bits.
"""

from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class Application(TenantModel):
    """An application of the tenant. `client_id` begins with the tenant it belongs to; one without a
    secret is public and has to bring a PKCE challenge each time."""

    name = models.CharField(max_length=100)
    client_id = models.CharField(max_length=64, editable=False)
    secret_hash = models.BinaryField(max_length=32, null=True, editable=False)
    secret_changed_at = models.DateTimeField(null=True, editable=False)
    redirect_uris = models.JSONField(default=list)
    logout_uris = models.JSONField(default=list, blank=True)
    first_party = models.BooleanField(default=False)
    is_enabled = models.BooleanField("enabled", default=True)
    created_by = models.CharField(max_length=113, blank=True, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "client_id"], name="application_client_once"),
            models.UniqueConstraint(fields=["tenant", "name"], name="application_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_public(self) -> bool:
        return self.secret_hash is None


class Authorization(TenantModel):
    """One sign-in of a person to an application: what its code stands for, and the root of every
    token that comes from it. Ended, all of them are dead."""

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="authorizations"
    )
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    code_hash = models.BinaryField(max_length=32, editable=False)
    redirect_uri = models.TextField(editable=False)
    scopes = models.JSONField(default=list, editable=False)
    nonce = models.CharField(max_length=255, blank=True, editable=False)
    challenge = models.CharField(max_length=128, blank=True, editable=False)
    epoch = models.PositiveIntegerField(editable=False)
    session_hash = models.BinaryField(max_length=32, editable=False)
    authenticated_at = models.DateTimeField(editable=False)
    methods = models.JSONField(default=list, editable=False)
    code_expires_at = models.DateTimeField(editable=False)
    code_used_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "code_hash"], name="authorization_code_once")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "user"], name="authorizations_of_person"),
            models.Index(fields=["tenant", "created_at"], name="authorizations_by_age"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Token(TenantModel):
    """An access or refresh token. A refresh token is used once; the next one replaces it."""

    class Kind(models.TextChoices):
        ACCESS = "access"
        REFRESH = "refresh"

    authorization = models.ForeignKey(
        Authorization, on_delete=models.CASCADE, related_name="tokens"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    token_hash = models.BinaryField(max_length=32, editable=False)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "token_hash"], name="token_once")
        ]

    def __str__(self) -> str:
        return str(self.id)


class Consent(TenantModel):
    """What a person agreed that an application gets to know."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="consents")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    scopes = models.JSONField(default=list)
    given_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "application", "user"], name="consent_once")
        ]

    def __str__(self) -> str:
        return str(self.id)


class SigningKey(TenantModel):
    """A private key of the installation that signs ID tokens; a row of the installation itself."""

    kid = models.CharField(max_length=64, editable=False)
    sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "kid"], name="signing_key_once")
        ]

    def __str__(self) -> str:
        return self.kid

    def write(self, pem: bytes) -> None:
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed = keys.seal(pem, self._binding())

    def read(self) -> Secret[bytes]:
        """The private key as PEM. Raises SealBroken when the row was tampered with."""
        return tenant_keys().open(bytes(self.sealed), self._binding())

    def _binding(self) -> bytes:
        return binding(self.tenant_id, "signing key", self.id, self.kid)
