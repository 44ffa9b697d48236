"""What signing in keeps: wrong tries by user ID, places that are familiar, proofs asked for."""

from typing import Any, ClassVar

from django.db import models

from tenants.scoping import TenantModel


class SignInLock(TenantModel):
    """Wrong passwords for one user ID, existing or not, from familiar or unfamiliar places.

    `subject` is a keyed hash of the user ID; `wrong` are keyed hashes of the last wrong passwords,
    bound to the password they were compared with. What the numbers mean is in `signin.lockout`.
    """

    subject = models.BinaryField(max_length=32, editable=False)
    familiar = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0)
    locks = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    last_failed_at = models.DateTimeField(null=True)
    wrong = models.JSONField(default=list)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["tenant", "subject", "familiar"], name="lock_of_user_id_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class FamiliarPlace(TenantModel):
    """A network address or a browser a user ID signed in from; both only as keyed hashes."""

    subject = models.BinaryField(max_length=32, editable=False)
    place = models.BinaryField(max_length=32, editable=False)
    seen_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "subject", "place"], name="place_once")
        ]

    def __str__(self) -> str:
        return str(self.id)


class ProofChallenge(TenantModel):
    """One proof that a signed-in person was asked for, in one session.

    `session` is the hash of that session's key: another session's answer never fits. `tries` were
    counted, of which `judged` have been compared.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    session = models.BinaryField(max_length=32, editable=False)
    purpose = models.CharField(max_length=16)
    method = models.CharField(max_length=24)
    channel = models.CharField(max_length=10, blank=True)
    anchor = models.BinaryField(max_length=32, null=True, editable=False)
    questions = models.JSONField(default=list)
    nonce = models.BinaryField(max_length=16, editable=False)
    site = models.CharField(max_length=255, blank=True)
    reference = models.CharField(max_length=9)
    address = models.CharField(max_length=45, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    judged = models.PositiveSmallIntegerField(default=0)
    sends = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    dead = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "user", "dead"], name="proofs_asked_of_person")
        ]

    def __str__(self) -> str:
        return self.method
