"""The organisation and its rules, to be read: settings, names, groups, subscription, policy."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db import models

from ..limits import TIGHTENABLE, limit_for
from ..models import Domain, Group, Host, ResetPolicy, Subscription, Tenant
from .base import (
    ReadOnlyAdmin,
    Section,
    SingleRowAdmin,
    as_list,
    as_words,
    row_link,
)
from .site import tenant_site

SHOWN_MEMBERS = 200


@admin.register(Tenant, site=tenant_site)
class TenantAdmin(SingleRowAdmin):
    """Who the tenant is and what its portal tells."""

    heading = "Settings"
    area, place = "Organisation", 10
    ordering = ("slug",)
    list_display = ("name", "slug")
    fields = (
        "name",
        "slug",
        "active",
        "shown_languages",
        "disclosure",
        "reveal_reason",
        "profile",
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


@admin.register(Domain, site=tenant_site)
class DomainAdmin(ReadOnlyAdmin):
    """Which domains user IDs may have."""

    heading = "Domains"
    area, place = "Organisation", 20
    ordering = ("name",)
    list_display = fields = ("name", "verified", "custom")


@admin.register(Host, site=tenant_site)
class HostAdmin(ReadOnlyAdmin):
    """Where the tenant's own portal is found."""

    heading = "Host names"
    area, place = "Organisation", 30
    ordering = ("name",)
    list_display = fields = ("name",)


@admin.register(Subscription, site=tenant_site)
class SubscriptionAdmin(SingleRowAdmin):
    """What the tenant has bought."""

    heading = "Subscription"
    area, place = "Organisation", 40
    ordering = ("plan",)
    list_display = fields = ("plan", "trial_started")


@admin.register(Group, site=tenant_site)
class GroupAdmin(ReadOnlyAdmin):
    """Groups with their members and the groups inside them."""

    heading = "Groups"
    area, place = "People", 20
    ordering = ("name",)
    list_display = fields = ("name",)
    search_fields = ("name",)
    search_help_text = "The beginning of the name, as it is written."

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
class ResetPolicyAdmin(SingleRowAdmin):
    """Who may reset, with what, and which limits hold."""

    heading = "Reset policy"
    area, place = "Rules", 10
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
        "password_rules",
        "password_min_length",
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

    def sections(self, obj: ResetPolicy) -> Sequence[Section]:
        limits = [limit_for(name, obj.limits) for name in TIGHTENABLE]
        rows = [
            (
                as_words(each.name),
                each.count,
                _duration(each.window),
                _duration(each.block) if each.block else "until the time is over",
            )
            for each in limits
        ]
        return [Section("Limits in force", ("Limit", "Tries", "Within", "Then blocked"), rows)]


def _duration(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
