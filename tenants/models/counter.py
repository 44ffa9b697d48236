"""Counters of tries. They are raised by `tenants.counters`, never through the ORM."""

from typing import Any, ClassVar

from django.db import models

from ..ids import ordered_id
from ..scoping import TenantModel


class Tally(models.Model):
    """How often something was tried for one subject, and when the counting starts afresh.

    `subject` is a keyed hash. `ends_at` is the end of the window or, once `allowed` tries are
    used up, the end of the block.
    """

    limit = models.CharField(max_length=40)
    subject = models.BinaryField(max_length=32)
    count = models.PositiveIntegerField()
    allowed = models.PositiveIntegerField()
    counted_at = models.DateTimeField()
    window_ends = models.DateTimeField()
    block_ends = models.DateTimeField(null=True)
    ends_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.limit}: {self.count} of {self.allowed}"


class Counter(Tally, TenantModel):
    """A counter of one tenant."""

    id = models.UUIDField(primary_key=True, default=ordered_id, editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "limit", "subject"], name="one_counter")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "ends_at"], name="counters_by_end")
        ]


class SharedCounter(Tally):
    """A counter over all tenants together: a network address, a mailbox, a number.

    Holds no tenant's data.
    """

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["limit", "subject"], name="one_shared_counter")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["ends_at"], name="shared_counters_by_end")
        ]
