"""The organisation and its rules: settings, names, groups, subscription, policy."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from ..limits import TIGHTENABLE, limit_for
from ..models import Domain, Group, Host, ResetPolicy, Subscription, Tenant
from ..policy import ADMINISTRATOR_METHODS
from .base import ReadOnlyAdmin, Section, SingleRowAdmin, as_list, as_words, row_link
from .group_forms import NestForm, NewGroupForm, RemoveGroupForm, RenameGroupForm, UnnestForm
from .intents import EditableAdmin, Intent
from .permissions import Permission
from .policy_form import PolicyForm, administrator_gates, told_time
from .settings_form import SettingsForm
from .site import tenant_site

SHOWN_MEMBERS = 200
OPERATOR_ADDS = (
    "Adding or removing one is the operator's matter, because it must be unique in the whole "
    "installation: ask the operator of this installation."
)


def _has_inner(group: Group) -> bool:
    return bool(group.inner.exists())


@admin.register(Tenant, site=tenant_site)
class TenantAdmin(SingleRowAdmin, EditableAdmin):
    """Who the tenant is and what its portal tells."""

    heading = "Settings"
    area, place = "Organisation", 10
    editor = Intent("settings", "Settings", Permission.SETTINGS, SettingsForm)
    ordering = ("slug",)
    list_display = ("name", "slug")
    fields = (
        "name",
        "slug",
        "active",
        "shown_languages",
        "disclosure",
        "reveal_reason",
        "guest_sign_up",
        "profile",
        "lockout_threshold",
        "lockout_seconds",
        "helpdesk_email",
        "helpdesk_url",
        "helpdesk_phone",
        "brand_color",
        "brand_logo",
        "created_at",
    )

    @admin.display(description="Languages")
    def shown_languages(self, tenant: Tenant) -> str:
        return ", ".join(tenant.languages)

    def facts(self, row: Tenant) -> Sequence[tuple[str, Any]]:
        return (
            ("Short name", row.slug),
            ("Lockout profile", row.get_profile_display()),
            ("Created", row.created_at.date().isoformat()),
        )

    def sections(self, obj: Tenant) -> Sequence[Section]:
        domains = Domain.objects.order_by("name")
        hosts = Host.objects.order_by("name")
        return [
            Section(
                "Domains of user IDs",
                ("Name", "Verified"),
                [(row.name, "yes" if row.verified else "no") for row in domains],
                about=OPERATOR_ADDS,
            ),
            Section(
                "Own host names of the portal",
                ("Name",),
                [(row.name,) for row in hosts],
                about=OPERATOR_ADDS,
            ),
        ]


@admin.register(Domain, site=tenant_site)
class DomainAdmin(ReadOnlyAdmin):
    """Which domains user IDs may have."""

    heading = "Domains"
    note = OPERATOR_ADDS
    area, place = "Organisation", 20
    ordering = ("name",)
    list_display = fields = ("name", "verified", "custom")
    change_list_template = "admin/editable_list.html"


@admin.register(Host, site=tenant_site)
class HostAdmin(ReadOnlyAdmin):
    """Where the tenant's own portal is found."""

    heading = "Host names"
    note = OPERATOR_ADDS
    area, place = "Organisation", 30
    ordering = ("name",)
    list_display = fields = ("name",)
    change_list_template = "admin/editable_list.html"


@admin.register(Subscription, site=tenant_site)
class SubscriptionAdmin(SingleRowAdmin, EditableAdmin):
    """What the tenant has bought; the app above adds who has a licence of it."""

    heading = "Licences"
    area, place = "Organisation", 40
    ordering = ("plan",)
    list_display = fields = ("plan", "trial_started")

    def sections(self, obj: Subscription) -> Sequence[Section]:
        return [section for make in self.more_sections for section in make(obj)]


@admin.register(Group, site=tenant_site)
class GroupAdmin(EditableAdmin):
    """Groups with their members and the groups inside them."""

    heading = "Groups"
    area, place = "People", 30
    adder = Intent("add", "Add group", Permission.GROUPS, NewGroupForm)
    editor = Intent("rename", "Rename", Permission.GROUPS, RenameGroupForm)
    ordering = ("name",)
    list_display = fields = ("name",)
    search_fields = ("name",)
    search_help_text = "The beginning of the name, as it is written."

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.intents += [
            Intent("nest", "Put a group inside", Permission.GROUPS, NestForm),
            Intent("unnest", "Take a group out", Permission.GROUPS, UnnestForm, _has_inner),
            Intent("remove", "Remove group", Permission.GROUPS, RemoveGroupForm),
        ]

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        return queryset.filter(name__startswith=text)

    def sections(self, obj: Group) -> Sequence[Section]:
        # Members are rows of the app above, reached through the relation.
        rows: Any = obj.members
        members = rows.select_related("user").order_by("user__user_id")[:SHOWN_MEMBERS]
        inner = obj.inner.select_related("child").order_by("child__name")
        return [
            Section(
                f"Members (at most {SHOWN_MEMBERS} are shown)",
                ("User ID", "Name"),
                [(row_link(row.user, row.user.user_id), row.user.display_name) for row in members],
            ),
            Section(
                "Groups inside this one",
                ("Name",),
                [(row_link(row.child, row.child.name),) for row in inner],
            ),
        ]


@admin.register(ResetPolicy, site=tenant_site)
class ResetPolicyAdmin(SingleRowAdmin, EditableAdmin):
    """Who may reset, with what, and which limits hold."""

    heading = "Reset policy"
    area, place = "Rules", 10
    adder = editor = Intent("policy", "Reset policy", Permission.POLICY, PolicyForm)
    ordering = ("id",)
    list_display = ("enabled", "methods_required", "version")
    fields = (
        "enabled",
        "group",
        "require_licence",
        "shown_methods",
        "methods_required",
        "questions_to_register",
        "questions_to_reset",
        "shown_questions",
        "combined_registration",
        "require_registration",
        "reconfirm_days",
        "notify_user",
        "notify_admins",
        "admins_may_reset",
        "writeback",
        "unlock_without_reset",
        "register_with_password",
        "password_rules",
        "password_min_length",
        "password_max_age_days",
        "shown_terms",
        "check_breached",
        "pass_extension",
        "version",
    )

    @admin.display(description="Methods")
    def shown_methods(self, policy: ResetPolicy) -> str:
        return as_list(policy.methods)

    @admin.display(description="Own questions")
    def shown_questions(self, policy: ResetPolicy) -> str:
        return "; ".join(policy.custom_questions)

    @admin.display(description="Banned terms")
    def shown_terms(self, policy: ResetPolicy) -> str:
        return ", ".join(policy.banned_terms)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        if self.has_add_permission(request):
            return HttpResponseRedirect(reverse("admin:tenants_resetpolicy_add"))
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not ResetPolicy.objects.exists()

    def facts(self, row: ResetPolicy) -> Sequence[tuple[str, Any]]:
        return (("Version", row.version),)

    def sections(self, obj: ResetPolicy) -> Sequence[Section]:
        limits = [limit_for(name, obj.limits) for name in TIGHTENABLE]
        rows = [
            (
                as_words(each.name),
                each.count,
                told_time(each.window),
                told_time(each.block) if each.block else "until the time is over",
            )
            for each in limits
        ]
        return [
            _administrator_section(obj),
            Section("Limits in force", ("Limit", "Tries", "Within", "Then blocked"), rows),
        ]


def _administrator_section(policy: ResetPolicy) -> Section:
    rows = [
        ("May reset", "yes" if policy.admins_may_reset else "no"),
        ("Number of proofs", administrator_gates()),
        ("Methods", as_list(ADMINISTRATOR_METHODS)),
        ("Security questions", "never"),
    ]
    return Section(
        "The fixed policy of administrators",
        ("What", "Value"),
        rows,
        about="It replaces the policy above for everybody with an administrator's role, and "
        "can't be edited.",
    )
