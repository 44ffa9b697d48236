"""The stored form of a tenant's rules; `rules()` gives the value that decisions are made from."""

from typing import Any, ClassVar

from django.db import models
from django.utils.crypto import constant_time_compare

from ..policy import PolicyRules
from ..scoping import TenantModel, claim_for_current_tenant


class ResetPolicy(TenantModel):
    """Who may reset, and with what. One row a tenant; without it nobody but administrators can."""

    class Enabled(models.TextChoices):
        NONE = "none"
        SELECTED = "selected"
        ALL = "all"

    class NotifyAdmins(models.TextChoices):
        ALL = "all"
        GLOBAL = "global"
        NONE = "none"

    class PasswordRuleSet(models.TextChoices):
        ENTRA = "entra"
        NIST = "nist"

    enabled = models.CharField(max_length=10, choices=Enabled.choices, default=Enabled.ALL)
    group = models.ForeignKey(
        "tenants.Group", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    require_licence = models.BooleanField(default=True)
    methods = models.JSONField(default=list)
    methods_required = models.PositiveSmallIntegerField(default=2)
    combined_registration = models.BooleanField(default=True)
    questions_to_register = models.PositiveSmallIntegerField(default=5)
    questions_to_reset = models.PositiveSmallIntegerField(default=3)
    custom_questions = models.JSONField(default=list, blank=True)
    require_registration = models.BooleanField(default=True)
    reconfirm_days = models.PositiveSmallIntegerField(default=180)
    notify_user = models.BooleanField(default=True)
    notify_admins = models.CharField(
        max_length=10, choices=NotifyAdmins.choices, default=NotifyAdmins.ALL
    )
    admins_may_reset = models.BooleanField(default=True)
    writeback = models.BooleanField(default=False)
    unlock_without_reset = models.BooleanField(default=False)
    register_with_password = models.BooleanField(
        default=True, help_text="Whether the password alone lets somebody register a first method."
    )
    password_rules = models.CharField(
        max_length=10, choices=PasswordRuleSet.choices, default=PasswordRuleSet.ENTRA
    )
    password_min_length = models.PositiveSmallIntegerField(default=8)
    password_max_age_days = models.PositiveSmallIntegerField(default=0)
    banned_terms = models.JSONField(default=list, blank=True)
    check_breached = models.BooleanField(default=True)
    pass_extension = models.BooleanField(
        default=False, help_text="Dial the extension of an office phone instead of stripping it."
    )
    phone_countries = models.JSONField(
        default=list, blank=True, help_text="Countries that codes are sent to; none means all."
    )
    limits = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    # A keyed hash over what decides how much is to be proved (security 3.6): nothing is signed for
    # a directory under a policy that was made easier by hand.
    seal = models.BinaryField(max_length=32, default=bytes, editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant"], name="one_policy_a_tenant")
        ]

    def __str__(self) -> str:
        return f"reset policy, version {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        claim_for_current_tenant(self)
        self.seal = self.own_seal()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "seal"}
        super().save(*args, **kwargs)

    def own_seal(self) -> bytes:
        """What the seal has to be; of this tenant, so that no other one's policy fits here."""
        from ..keys import tenant_keys

        decisive = (
            self.tenant_id,
            self.enabled,
            self.group_id or "",
            self.require_licence,
            ",".join(sorted(self.methods)),
            self.methods_required,
            self.questions_to_reset,
            self.admins_may_reset,
            self.writeback,
            self.unlock_without_reset,
        )
        return tenant_keys().mac("reset policy", *decisive)

    @property
    def is_sealed(self) -> bool:
        """Whether the product itself made these rules."""
        return constant_time_compare(bytes(self.seal).hex(), self.own_seal().hex())

    def rules(self) -> PolicyRules:
        return PolicyRules(
            enabled=self.enabled,
            group=str(self.group_id or ""),
            require_licence=self.require_licence,
            methods=tuple(self.methods),
            methods_required=self.methods_required,
            combined_registration=self.combined_registration,
            questions_to_register=self.questions_to_register,
            questions_to_reset=self.questions_to_reset,
            custom_questions=tuple(self.custom_questions),
            require_registration=self.require_registration,
            reconfirm_days=self.reconfirm_days,
            notify_user=self.notify_user,
            notify_admins=self.notify_admins,
            admins_may_reset=self.admins_may_reset,
            writeback=self.writeback,
            unlock_without_reset=self.unlock_without_reset,
            register_with_password=self.register_with_password,
        )
