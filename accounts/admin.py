"""People on the administration site, and the page through which administrators enter it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db import models
from django.utils import timezone

from tenants.admin import ReadOnlyAdmin, Section, choice_filter, tenant_site
from tenants.admin.base import as_list, field_choices, row_link
from tenants.admin.trail import clock
from tenants.keys import SealBroken
from tenants.masking import masked_email, masked_phone

from . import admin_imports  # noqa: F401 - registers the imports
from .identifiers import canonical
from .models import ContactPoint, GroupMember, Session, User
from .people import Belongings, belongings_of, guest_lookup
from .signin.admin_login import sign_in

tenant_site.sign_in = sign_in

UNREADABLE = "can't be read"
_NAMES = {
    ContactPoint.Kind.PRIMARY_EMAIL: "Primary mailbox (notices only)",
    ContactPoint.Kind.ALTERNATE_EMAIL: "Email",
    ContactPoint.Kind.MOBILE_PHONE: "Mobile phone",
    ContactPoint.Kind.OFFICE_PHONE: "Office phone",
}
_NO_ROLES = models.Q(roles=[])


@admin.register(User, site=tenant_site)
class UserAdmin(ReadOnlyAdmin):
    """Members and guests of the tenant, with what they registered; never with what it holds."""

    heading = "People"
    area, place = "People", 10
    ordering = ("user_id",)
    list_display = ("user_id", "display_name", "kind", "enabled", "licensed", "shown_roles")
    list_filter = (
        choice_filter("kind", "kind", field_choices("kind", dict(User.Kind.choices))),
        choice_filter(
            "enabled",
            "enabled",
            {"yes": ("Yes", models.Q(is_active=True)), "no": ("No", models.Q(is_active=False))},
        ),
        choice_filter(
            "roles", "roles", {"any": ("With a role", ~_NO_ROLES), "none": ("Without", _NO_ROLES)}
        ),
    )
    search_fields = ("user_id",)
    search_help_text = "The beginning of the user ID or of the name, or a guest's whole email."
    fields = (
        "user_id",
        "display_name",
        "given_name",
        "surname",
        "kind",
        "enabled",
        "licensed",
        "shown_roles",
        "source",
        "manager",
        "language",
        "origin",
        "home",
        "frozen_at",
        "password_changed_at",
        "last_login",
        "open_sessions",
        "created_at",
    )

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        """By the beginning of what is indexed. A name is tried as typed and with capitals."""
        names = {text, text.title()}
        found = models.Q(user_id__startswith=canonical(text))
        for name in sorted(names):
            found |= models.Q(display_name__startswith=name)
        if "@" in text:
            found |= models.Q(guest_lookup=guest_lookup(text))
        return queryset.filter(found)

    @admin.display(description="Enabled", boolean=True)
    def enabled(self, user: User) -> bool:
        return user.is_active

    @admin.display(description="Licensed", boolean=True)
    def licensed(self, user: User) -> bool:
        return user.licence_id is not None

    @admin.display(description="Roles")
    def shown_roles(self, user: User) -> str:
        return as_list(user.roles)

    @admin.display(description="Open sessions")
    def open_sessions(self, user: User) -> int:
        rows = Session.objects.filter(user=user, epoch=user.session_epoch)
        return int(rows.filter(expires_at__gt=timezone.now()).count())

    def sections(self, obj: User) -> Sequence[Section]:
        rows = GroupMember.objects.filter(user=obj).select_related("group").order_by("group__name")
        groups = [(row_link(row.group, row.group.name),) for row in rows]
        return [
            Section(
                "Registered methods",
                ("Method", "Hint", "Confirmed or added"),
                list(registered(belongings_of(obj))),
                empty="Nothing is registered.",
            ),
            Section("Groups", ("Name",), groups, empty="In no group."),
        ]


def registered(own: Belongings) -> Iterable[tuple[str, str, str]]:
    """What a person registered: name, masked hint, since when. Seeds and answers are never read."""
    for kind, row in sorted(own.contacts.items()):
        since = clock(row.confirmed_at) if row.confirmed_at else "not confirmed"
        yield _NAMES[ContactPoint.Kind(kind)], hint_of(row), since
    for device in own.devices:
        yield "Authenticator app", device.name, clock(device.created_at)
    if own.answers:
        newest = max(row.created_at for row in own.answers)
        yield "Security questions", f"{len(own.answers)} registered", clock(newest)


def hint_of(row: ContactPoint) -> str:
    """A masked address or number; a row that was tampered with is said to be unreadable."""
    try:
        value = row.read().reveal()
    except SealBroken:
        return UNREADABLE
    return masked_email(value) if "@" in value else masked_phone(value)
