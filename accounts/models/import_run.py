"""One CSV file on its way in: checked, then applied or discarded (design, decision 4)."""

from typing import Any, ClassVar

from django.db import models

from tenants.keys import binding, tenant_keys
from tenants.scoping import TenantModel
from tenants.secret import Secret


class ImportRun(TenantModel):
    """A file with what it comes to. File, summary and report hold personal data: they are sealed to
    this row, the file until it is applied or discarded, all of them for an hour at most.
    `file_key` is a keyed hash, under which the same file is recognised."""

    class State(models.TextChoices):
        CHECKED = "checked"
        APPLIED = "applied"
        DISCARDED = "discarded"
        EXPIRED = "expired"

    class Mode(models.TextChoices):
        ALL = "all", "Only if every row is right"
        ROWS = "rows", "All rows that are right"

    actor = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    actor_label = models.CharField(max_length=120)
    file_name = models.CharField(max_length=120)
    file_key = models.BinaryField(max_length=32)
    format = models.CharField(max_length=20)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.ALL)
    replace_confirmed = models.BooleanField(default=False)
    counts = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHECKED)
    sealed_file = models.BinaryField(null=True)
    sealed_summary = models.BinaryField(null=True)
    sealed_report = models.BinaryField(null=True)
    keeps_data = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="imports_newest_first"),
            models.Index(
                fields=["created_at"],
                name="imports_with_data",
                condition=models.Q(keeps_data=True),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    def seal(self, part: str, plain: str | bytes) -> None:
        """Keeps `file`, `summary` or `report` sealed."""
        sealed = tenant_keys().seal(plain, self._binding(part))
        setattr(self, f"sealed_{part}", sealed)
        self.keeps_data = True

    def find(self, part: str) -> Secret[bytes] | None:
        """What `seal` kept, or nothing when it was removed. Raises SealBroken."""
        sealed = getattr(self, f"sealed_{part}")
        if sealed is None:
            return None
        return tenant_keys().open(bytes(sealed), self._binding(part))

    def forget(self, *parts: str) -> None:
        for part in parts:
            setattr(self, f"sealed_{part}", None)
        kept = (self.sealed_file, self.sealed_summary, self.sealed_report)
        self.keeps_data = any(sealed is not None for sealed in kept)

    def _binding(self, part: str) -> bytes:
        return binding(tenant_keys().tenant, "import", self.id, part)
