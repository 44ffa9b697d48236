"""What is done for directories without anybody asking: reminders, and drills."""

from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class ExpiryReminders(TenantModel):
    """How a tenant's people are reminded before their password ends. One row, or nobody is.

    days: the marks, days before the end. groups_excluded: ids of groups, as text; one that is gone
    excludes nobody. texts: language → the organisation's own words, with macros of `expiry`.
    week_done: the Monday of the week whose work (summaries for managers, forgetting) was done.
    """

    class Channel(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"
        BOTH = "both"

    days = models.JSONField(default=list)
    channel = models.CharField(max_length=5, choices=Channel.choices, default=Channel.EMAIL)
    groups_excluded = models.JSONField(default=list, blank=True)
    exclude_unregistered = models.BooleanField(default=False)
    managers_summary = models.BooleanField(default=False)
    texts = models.JSONField(default=dict, blank=True)
    week_done = models.DateField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "expiry reminders"
        verbose_name_plural = "expiry reminders"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant"], name="one_reminding_a_tenant")
        ]

    def __str__(self) -> str:
        return ", ".join(map(str, self.days))


class Reminder(TenantModel):
    """Somebody was reminded at this mark of this password: once, whoever else works.

    told: the correlation id of the messages, the same for all accounts that somebody was told of
    together. Where there is no such message, there was no address to write to.
    """

    link = models.ForeignKey(
        "writeback.DirectoryLink", on_delete=models.CASCADE, related_name="reminders"
    )
    day = models.PositiveSmallIntegerField()
    password_ends = models.DateTimeField()
    sent_at = models.DateTimeField()
    told = models.UUIDField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "reminder"
        verbose_name_plural = "reminders"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["tenant", "link", "password_ends", "day"], name="reminded_once"
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "-sent_at", "-id"], name="reminders_newest_first"),
            models.Index(fields=["tenant", "told"], name="reminders_by_message"),
        ]

    def __str__(self) -> str:
        return f"{self.day} days before {self.password_ends:%Y-%m-%d}"


class Drill(TenantModel):
    """A drill that is running: its id is the origin of its jobs, and it goes when it ended.

    The canary's new password is sealed here between the reset and the sign-in that checks it, for
    ten minutes at the most.
    """

    connector = models.ForeignKey(
        "writeback.Connector", on_delete=models.CASCADE, related_name="drills"
    )
    started_at = models.DateTimeField()
    sealed = models.BinaryField(editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "connector"], name="one_drill_a_directory")
        ]

    def __str__(self) -> str:
        return str(self.id)

    def _binding(self) -> bytes:
        return binding("drill", self.tenant_id, self.connector_id, self.id)

    def write(self, password: str) -> None:
        """Seals the canary's password to this row."""
        keys = tenant_keys()
        self.tenant_id = keys.tenant
        self.sealed = keys.seal(password, self._binding())

    def read(self) -> Secret[str]:
        """Raises SealBroken."""
        return tenant_keys().open_text(bytes(self.sealed), self._binding())


class Begun(TenantModel):
    """What the product itself was about to do in a directory, and what came of it: what a journal
    is to an agent. Written before the directory is touched; no password is in it.

    job: of `WritebackJob`; at, settled_at: Unix seconds; facts: of the intent, enough to find out
    later what became of it; result: nothing while that is not known.
    """

    connector = models.ForeignKey(
        "writeback.Connector", on_delete=models.CASCADE, related_name="begun"
    )
    job = models.UUIDField()
    sequence = models.BigIntegerField()
    at = models.BigIntegerField()
    facts = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    settled_at = models.BigIntegerField(null=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "job"], name="begun_once")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "connector", "at"], name="begun_by_time"),
            models.Index(
                fields=["tenant", "connector"],
                name="begun_without_end",
                condition=models.Q(settled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.job)
