"""Groups of people; groups inside groups count for the scope of a policy."""

from typing import Any, ClassVar

from django.db import models

from ..scoping import TenantModel


class Group(TenantModel):
    """A named group. Its members are rows of `accounts.GroupMember`."""

    name = models.CharField(max_length=100)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "name"], name="group_name_in_tenant")
        ]

    def __str__(self) -> str:
        return self.name


class GroupNesting(TenantModel):
    """`child` is inside `parent`: its members are members of `parent` too."""

    parent = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="inner")
    child = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="outer")

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "parent", "child"], name="nested_once"),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("child")), name="not_in_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.child_id} in {self.parent_id}"
