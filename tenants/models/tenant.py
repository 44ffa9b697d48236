"""The customer: who it is, which names belong to it, how its portal looks and what it discloses."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from ..scoping import CURRENT_TENANT, TenantModel


class OwnRow(models.Manager["Tenant"]):
    """A tenant sees itself and nobody else."""

    def get_queryset(self) -> models.QuerySet[Tenant]:
        return super().get_queryset().filter(id=CURRENT_TENANT)


class Tenant(models.Model):
    """One customer organisation. The row itself is behind the walls, like everything below it."""

    class Disclosure(models.TextChoices):
        GUIDED = "guided"
        CONCEALED = "concealed"

    class Profile(models.TextChoices):
        PUBLIC = "public"
        GOVERNMENT = "government"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=100)
    languages = models.JSONField(default=list, blank=True)
    disclosure = models.CharField(
        max_length=10, choices=Disclosure.choices, default=Disclosure.GUIDED
    )
    reveal_reason = models.BooleanField(default=False)
    guest_sign_up = models.BooleanField(default=False)
    profile = models.CharField(max_length=10, choices=Profile.choices, default=Profile.PUBLIC)
    # Numbers of its own for smart lockout, where the plan grants them; 0 is the profile's.
    lockout_threshold = models.PositiveSmallIntegerField(default=0)
    lockout_seconds = models.PositiveIntegerField(default=0)
    active = models.BooleanField(default=True)
    platform = models.BooleanField(
        default=False, editable=False, help_text="The installation itself, not a customer."
    )
    helpdesk_email = models.EmailField(blank=True)
    helpdesk_url = models.URLField(blank=True)
    helpdesk_phone = models.CharField(max_length=40, blank=True)
    brand_color = models.CharField(max_length=7, blank=True)
    brand_logo = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # New whenever the tenant's rules change, by a trigger (`tenants.rules`).
    revision = models.UUIDField(default=uuid.uuid4, editable=False)

    objects: ClassVar[OwnRow] = OwnRow()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.name


class Domain(TenantModel):
    """A domain of user IDs, owned by one tenant; `custom` is false for the one it came with."""

    name = models.CharField(max_length=253, unique=True)
    verified = models.BooleanField(default=True)
    custom = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Host(TenantModel):
    """A host name of the tenant's own portal. The shared host always works beside it."""

    name = models.CharField(max_length=253, unique=True)

    def __str__(self) -> str:
        return self.name


class TenantKey(TenantModel):
    """A data key of the tenant, wrapped by the master key."""

    version = models.PositiveSmallIntegerField(default=1)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "version"], name="one_key_a_version")
        ]

    def __str__(self) -> str:
        return f"key {self.version}"


class Subscription(TenantModel):
    """What the tenant has bought. A licence is assigned to a person by pointing at it."""

    class Plan(models.TextChoices):
        FREE = "free"
        BUSINESS_STANDARD = "business_standard"
        BUSINESS_PREMIUM = "business_premium"
        P1 = "p1"
        P2 = "p2"

    plan = models.CharField(max_length=20, choices=Plan.choices, default=Plan.FREE)
    trial_started = models.DateField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant"], name="one_subscription_a_tenant")
        ]

    def __str__(self) -> str:
        return self.get_plan_display()
