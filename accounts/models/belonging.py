"""Which groups a person is in."""

from typing import Any, ClassVar

from django.db import models

from tenants.scoping import TenantModel


class GroupMember(TenantModel):
    """A person's direct membership of a group."""

    group = models.ForeignKey("tenants.Group", on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "group", "user"], name="member_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"
