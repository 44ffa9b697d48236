"""A reset is a row with a named state; its proofs are rows bound to it."""

from typing import Any, ClassVar

from django.db import models

from tenants.ids import ordered_id
from tenants.scoping import TenantModel

from .flow import State

RESET, UNLOCK, REHEARSAL = "reset", "unlock", "rehearsal"
"""Operations of a journey. A rehearsal proves everything and changes nothing."""


class Flow(TenantModel):
    """One journey of one person, real or decoy.

    User, tenant and required gates are written at the start and never read from the browser
    again. The browser holds a secret of which only the hash is here (R-8).
    """

    secret_hash = models.BinaryField(max_length=32, editable=False)
    reference = models.CharField(max_length=9)
    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="flows"
    )
    person_key = models.BinaryField(max_length=32, editable=False)
    user_id_typed = models.BinaryField(editable=False)
    operation = models.CharField(max_length=10, default=RESET)
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in State])
    reason = models.CharField(max_length=30, blank=True)
    policy = models.CharField(max_length=20, blank=True)
    policy_version = models.PositiveIntegerField(default=0)
    gates_required = models.PositiveSmallIntegerField(default=0)
    methods = models.JSONField(default=list)
    concealed = models.BooleanField(default=False)
    language = models.CharField(max_length=12)
    address = models.CharField(max_length=45, blank=True)
    # The web origin it began on: a passkey signs for no other.
    site = models.CharField(max_length=255, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # Whether a proof was tried, which is when the journey counts as an attempt.
    attempted = models.BooleanField(default=False)
    # Passwords that were sent to a directory so far.
    attempts = models.PositiveSmallIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "reference"], name="reference_in_tenant")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "user", "state"], name="flows_of_person"),
            models.Index(fields=["tenant", "-started_at", "-id"], name="flows_newest_first"),
            models.Index(fields=["tenant", "state", "-started_at", "-id"], name="flows_by_state"),
        ]

    def __str__(self) -> str:
        return self.reference


class Challenge(TenantModel):
    """One proof that was asked for: a code on its way, an app code, a set of questions.

    `tries` were counted, of which `judged` have been compared; the others are on their way there.
    """

    id = models.UUIDField(primary_key=True, default=ordered_id, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="challenges")
    step = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=24)
    channel = models.CharField(max_length=10, blank=True)
    anchor = models.BinaryField(max_length=32, null=True)
    evidence = models.CharField(max_length=80, blank=True)
    questions = models.JSONField(default=list)
    nonce = models.BinaryField(max_length=16)
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
            models.Index(fields=["tenant", "flow", "dead"], name="challenges_of_flow")
        ]

    def __str__(self) -> str:
        return f"{self.method}, step {self.step}"


class Gate(TenantModel):
    """A proof that was given: bound to flow, step, method, user, tenant and challenge.

    `seal` is a keyed hash over all of these, so that a row written by hand opens nothing.
    """

    id = models.UUIDField(primary_key=True, default=ordered_id, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="gates")
    challenge = models.OneToOneField(Challenge, on_delete=models.CASCADE, related_name="gate")
    step = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=24)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    anchor = models.BinaryField(max_length=32)
    evidence = models.CharField(max_length=80)
    seal = models.BinaryField(max_length=32)
    passed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "flow", "step"], name="one_gate_a_step"),
            models.UniqueConstraint(fields=["tenant", "flow", "anchor"], name="one_gate_an_anchor"),
        ]

    def __str__(self) -> str:
        return f"{self.method}, step {self.step}"


class Repudiation(TenantModel):
    """The "this was not me" link of a notice. Only the hash of its token is kept (R-14).

    Without a journey it belongs to a change of a password that was known.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, null=True, related_name="+")
    token_hash = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "token_hash"], name="repudiation_once")
        ]

    def __str__(self) -> str:
        return str(self.id)


class DirectoryChange(TenantModel):
    """A change of a known password that the person's directories are asked for.

    Its id is the origin of the jobs. `session` is the hash of the key of the session that waits
    for it, and that goes on. What the try of the old password was counted on stays here until the
    directory judged it; no password does.
    """

    class State(models.TextChoices):
        WRITING = "writing"
        DONE = "done"
        PARTLY = "partly"
        WRONG = "wrong"
        REJECTED = "rejected"
        NOT_CHANGED = "not_changed"
        FAILED = "failed"
        UNKNOWN = "unknown"

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    session = models.BinaryField(max_length=32)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WRITING)
    reason = models.CharField(max_length=30, blank=True)
    address = models.CharField(max_length=45, blank=True)
    familiar = models.BooleanField(default=False)
    # The end of the lock that this very try set off.
    locked_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["tenant", "user"],
                condition=models.Q(state="writing"),
                name="one_open_change",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class SpentCaptcha(models.Model):
    """A captcha answer that was used. Belongs to no tenant: it is spent before one is known."""

    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)
