"""The person: one row, belonging to exactly one tenant (design, decision 5)."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from tenants.roles import may_enter
from tenants.scoping import TenantManager, TenantModel

from ..identifiers import canonical
from ..search_keys import ByBytes, Folded, last_word, or_else


class UserManager(TenantManager["User"], BaseUserManager["User"]):
    """Scoped like every tenant's table; finds people by their user ID."""

    def get_by_natural_key(self, username: str | None) -> "User":
        user: User = self.get(user_id=canonical(username or ""))
        return user


class User(AbstractBaseUser, TenantModel):
    """A member or guest of a tenant, found by the user ID `name@domain`."""

    class Kind(models.TextChoices):
        MEMBER = "member"
        GUEST = "guest"

    class Source(models.TextChoices):
        CLOUD = "cloud"
        PASSWORD_HASH_SYNC = "password_hash_sync"  # noqa: S105 - the name of a source
        PASS_THROUGH = "pass_through"  # noqa: S105 - the name of a source
        FEDERATED = "federated"

    class Origin(models.TextChoices):
        """Where a guest comes from; decides whose policy holds (Entra, B2B)."""

        NONE = ""
        PARTNER = "partner"
        SELF_SERVICE_SIGN_UP = "self_service_sign_up"
        INVITATION = "invitation"
        PERSONAL = "personal"

    user_id = models.CharField(max_length=113)
    display_name = models.CharField(max_length=256, blank=True)
    given_name = models.CharField(max_length=64, blank=True)
    surname = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.MEMBER)
    is_active = models.BooleanField("enabled", default=True)
    licence = models.ForeignKey(
        "tenants.Subscription", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    roles = models.JSONField(default=list, blank=True)
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.CLOUD)
    language = models.CharField(max_length=12, blank=True)
    manager = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="reports"
    )
    origin = models.CharField(max_length=24, choices=Origin.choices, blank=True, default="")
    home = models.CharField(max_length=63, blank=True, help_text="Slug of a partner's tenant.")
    guest_lookup = models.BinaryField(max_length=32, null=True, editable=False)
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    disabled_methods = models.JSONField(default=list, blank=True, editable=False)
    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)
    password_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Whoever signs in has to choose another password first.
    must_change_password = models.BooleanField(default=False, editable=False)
    # When the person last said that what is registered is right, or registered it.
    registration_confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When an administrator last asked for everything to be registered or confirmed anew.
    must_register_since = models.DateTimeField(null=True, blank=True, editable=False)
    # When the person removed what a reset needs; they are asked at the next confirmation.
    registration_reduced_at = models.DateTimeField(null=True, blank=True, editable=False)
    rehearsed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # What a search compares; the database keeps them in step with the names.
    name_key = models.GeneratedField(
        expression=Folded("display_name"),
        output_field=models.CharField(max_length=256),
        db_persist=True,
    )
    given_key = models.GeneratedField(
        expression=Folded(or_else("given_name", models.F("display_name"))),
        output_field=models.CharField(max_length=256),
        db_persist=True,
    )
    surname_key = models.GeneratedField(
        expression=Folded(or_else("surname", last_word("display_name"))),
        output_field=models.CharField(max_length=256),
        db_persist=True,
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "user_id"
    EMAIL_FIELD = "user_id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "user_id"], name="user_id_in_tenant")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["guest_lookup"], name="guest_by_email"),
            models.Index("tenant", ByBytes("user_id"), name="people_by_user_id"),
            models.Index("tenant", ByBytes("name_key"), name="people_by_name"),
            models.Index("tenant", ByBytes("given_key"), name="people_by_given_name"),
            models.Index(
                "tenant", ByBytes("surname_key"), ByBytes("given_key"), name="people_by_surname"
            ),
            models.Index(
                fields=["tenant", "user_id"],
                name="guests_in_order",
                condition=models.Q(kind="guest"),
            ),
            models.Index(
                fields=["tenant", "user_id"],
                name="disabled_in_order",
                condition=models.Q(is_active=False),
            ),
            models.Index(
                fields=["tenant"], name="synchronised_people", condition=~models.Q(source="cloud")
            ),
            # In order, because about JSON the planner may use no statistics behind the policy.
            models.Index(
                fields=["tenant", "user_id"], name="role_holders", condition=~models.Q(roles=[])
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.user_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.user_id = canonical(self.user_id)
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """Whether the tenant's administration site opens for this person."""
        return may_enter(self.roles)

    @property
    def usable(self) -> bool:
        """Enabled, and not frozen by a "this was not me" report."""
        return self.is_active and self.frozen_at is None

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.usable and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.usable and self.is_staff
