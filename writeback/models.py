"""Directories of a tenant, the agents that reach them, and what they are asked to do."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.scoping import TenantModel, claim_for_current_tenant

from .jobs import State
from .models_upkeep import Begun, Drill, ExpiryReminders, Reminder

__all__ = [
    "Agent",
    "AgentCall",
    "AgentKey",
    "Begun",
    "Connector",
    "DirectoryLink",
    "Drill",
    "EnrolmentCode",
    "ExpiryReminders",
    "JobEnvelope",
    "Reminder",
    "WritebackJob",
]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Connector(TenantModel):
    """One directory of the tenant: its group of agents, and whether passwords are written to it.

    What a directory is called and who may write to it is the agent's own configuration; here is
    only what the product has to know. `enabled` switches writing off and on without enrolling
    anybody anew.
    """

    class Kind(models.TextChoices):
        ACTIVE_DIRECTORY = "active_directory", "Active Directory"
        OPENLDAP = "openldap", "OpenLDAP"
        ENTRA_ID = "entra_id", "Microsoft Entra ID"
        SCIM = "scim", "SCIM"

    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    enabled = models.BooleanField(_("passwords are written"), default=True)
    # Where the product reaches the directory itself: how, and the sealed secret, which opens for
    # exactly these settings (`services.direct`).
    direct = models.BooleanField(default=False, editable=False)
    settings = models.JSONField(default=dict, editable=False)
    secret = models.BinaryField(null=True, editable=False)
    directory_state = models.CharField(max_length=15, blank=True, editable=False)
    trouble = models.CharField(max_length=15, blank=True, editable=False)
    rules = models.JSONField(null=True, editable=False)
    reported_at = models.DateTimeField(null=True, editable=False)
    # The state that administrators were told of last, so that they are told once; the one that was
    # seen last, and since when it has been a bad one.
    told_state = models.CharField(max_length=20, blank=True, editable=False)
    seen_state = models.CharField(max_length=20, blank=True, editable=False)
    bad_since = models.DateTimeField(null=True, editable=False)
    canary = models.CharField(_("account for drills"), max_length=200, blank=True)
    # A keyed hash over the directory and its canary: one written by hand is never reset.
    canary_seal = models.BinaryField(max_length=32, null=True, editable=False)
    drilled_at = models.DateTimeField(null=True, editable=False)
    drill_outcome = models.CharField(max_length=20, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "name"], name="connector_name_in_tenant")
        ]

    def __str__(self) -> str:
        return self.name


class Agent(TenantModel):
    """A process at the customer's that takes jobs of one connector.

    `seal` is a keyed hash over agent, connector and identity, made when an administrator confirmed
    the fingerprint: a row or a key written by hand is nobody's agent. own: the product itself, in
    its worker, for a directory that it reaches directly.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waits for confirmation")
        ACTIVE = "active", _("active")
        REVOKED = "revoked", _("revoked")

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="agents")
    name = models.CharField(_("name"), max_length=100)
    identity = models.BinaryField(max_length=32, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    seal = models.BinaryField(max_length=32, null=True, editable=False)
    version = models.CharField(max_length=20, blank=True)
    enrolled_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    # The highest sequence of a job whose result it brought: its journal has to reach it.
    seen_sequence = models.BigIntegerField(default=0, editable=False)
    journal_sound = models.BooleanField(default=True)
    own = models.BooleanField(default=False, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "identity"], name="agent_identity_once"),
            models.UniqueConstraint(
                fields=["tenant", "connector"],
                condition=models.Q(own=True),
                name="one_own_agent_a_directory",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "connector", "state"], name="agents_of_connector")
        ]

    def __str__(self) -> str:
        return self.name


class AgentKey(TenantModel):
    """A key of the day that jobs are sealed to, signed by the agent's identity."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="keys")
    key = models.BinaryField(max_length=32)
    begins = models.DateTimeField()
    ends = models.DateTimeField()
    signature = models.BinaryField(max_length=64)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "agent", "key"], name="agent_key_once")
        ]

    def __str__(self) -> str:
        return str(self.id)


class AgentCall(TenantModel):
    """The nonce of a call that was answered: it is answered once."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=32)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "agent", "nonce"], name="agent_call_once")
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["at"], name="agent_calls_by_time")]

    def __str__(self) -> str:
        return self.nonce


class EnrolmentCode(TenantModel):
    """Lets one agent in, once, within 15 minutes. Only the hash of the code is kept (R-14)."""

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="+")
    code_hash = models.BinaryField(max_length=32)
    made_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "code_hash"], name="enrolment_code_once")
        ]

    def __str__(self) -> str:
        return str(self.id)


class DirectoryLink(TenantModel):
    """Where somebody's password is kept: a person's permanent id in one directory.

    A person may have several; one reset goes to all of them.
    """

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="directory_links"
    )
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="links")
    anchor = models.CharField(_("permanent id"), max_length=200)
    # A keyed hash over person, connector and id: a link written by hand leads nowhere.
    seal = models.BinaryField(max_length=32, editable=False)
    # What `describe` found: rules and marks of the person, and when.
    described = models.JSONField(null=True, editable=False)
    described_at = models.DateTimeField(null=True, editable=False)
    password_ends = models.DateTimeField(null=True, editable=False)
    # When it is to be looked at again without anybody asking (`services.looking`).
    look_at = models.DateTimeField(default=LONG_AGO, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = _("directory account")
        verbose_name_plural = _("directory accounts")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["tenant", "connector", "user"], name="one_link_a_directory"
            ),
            models.UniqueConstraint(
                fields=["tenant", "connector", "anchor"], name="one_person_an_anchor"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "password_ends"], name="links_by_password_end"),
            models.Index(fields=["tenant", "connector", "look_at"], name="links_by_look"),
        ]

    def __str__(self) -> str:
        return self.anchor

    def save(self, *args: Any, **kwargs: Any) -> None:
        from .sealing import link_seal

        claim_for_current_tenant(self)
        self.seal = link_seal(self)
        super().save(*args, **kwargs)


class WritebackJob(TenantModel):
    """One thing a directory is asked to do.

    origin: the journey, sign-in or order it comes from; attempt: counts the passwords of a journey,
    so that a directory is asked once a password (R-13). fence grows with every agent that takes the
    job, and only a result with the newest is believed. Outcomes as in `writeback.reports`.
    """

    class Purpose(models.TextChoices):
        RESET = "reset", _("reset")
        CHANGE = "change", _("change")
        SIGN_IN = "sign_in", _("sign-in")
        DESCRIBE = "describe", _("look at the rules")
        ORDER = "order", _("reset by an administrator")
        DRILL = "drill", _("drill")

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="jobs")
    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, related_name="writeback_jobs"
    )
    anchor = models.CharField(max_length=200)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    operation = models.CharField(max_length=16)
    must_change = models.BooleanField(default=False)
    origin = models.UUIDField()
    attempt = models.PositiveSmallIntegerField(default=1)
    reference = models.CharField(max_length=9, blank=True)
    sequence = models.BigIntegerField()
    evidence = models.BinaryField(max_length=32)
    state = models.CharField(
        max_length=8, choices=[(s.value, s.value) for s in State], default=State.UNSIGNED
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    fence = models.PositiveIntegerField(default=0)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, null=True, related_name="jobs")
    taken_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True)
    cause = models.CharField(max_length=24, blank=True)
    changed = models.BooleanField(default=False)
    unlocked = models.BooleanField(null=True)
    reconciled = models.BooleanField(default=False)
    answer = models.CharField(max_length=20, blank=True)
    controller = models.CharField(max_length=255, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["tenant", "origin", "attempt", "connector"], name="one_job_an_attempt"
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["tenant", "connector", "state", "created_at"],
                condition=~models.Q(state="done"),
                name="jobs_waiting",
            ),
            models.Index(fields=["tenant", "-created_at", "-id"], name="jobs_newest_first"),
            models.Index(
                fields=["tenant", "reference", "-created_at", "-id"],
                name="jobs_by_reference",
                condition=~models.Q(reference=""),
            ),
            models.Index(
                fields=["tenant", "purpose", "-created_at", "-id"], name="jobs_by_purpose"
            ),
            models.Index(
                fields=["tenant", "outcome", "-created_at", "-id"],
                name="jobs_without_success",
                condition=~models.Q(outcome="succeeded"),
            ),
            models.Index(fields=["finished_at"], name="jobs_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.id}"


class JobEnvelope(TenantModel):
    """A job sealed to one agent's key; gone with the outcome of the job, or after 300 s.

    `seal` is a keyed hash of the process that sealed it, over job, agent, text and what is sealed:
    the signer signs nothing that was written by hand.
    """

    job = models.ForeignKey(WritebackJob, on_delete=models.CASCADE, related_name="envelopes")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    text = models.BinaryField(max_length=2048)
    sealed = models.BinaryField(max_length=16384)
    seal = models.BinaryField(max_length=32)
    signed = models.BinaryField(max_length=65536, null=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "job", "agent"], name="one_envelope_an_agent")
        ]

    def __str__(self) -> str:
        return str(self.id)


class DirectoryOrder(TenantModel):
    """A reset that an administrator asked somebody's directories for. Its id is the origin of its
    jobs, of which each rests on a keyed hash over what stands here.

    sealed: the temporary password, which opens for the administrator's own session alone, is shown
    there once, and is gone after ten minutes. outcome: as in `jobs.Told`, empty while it is open.
    """

    administrator = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="directory_orders"
    )
    session = models.BinaryField(max_length=32, editable=False)
    sealed = models.BinaryField(max_length=1024, null=True, editable=False)
    outcome = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    shown_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        verbose_name = "reset by an administrator"
        verbose_name_plural = "resets by administrators"
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="orders_newest_first"),
            models.Index(
                fields=["tenant", "expires_at"],
                name="orders_with_a_password",
                condition=models.Q(sealed__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
