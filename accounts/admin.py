"""People on the administration site, and the page through which administrators enter it."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from tenants.admin import Section, choice_filter, tenant_site
from tenants.admin.base import as_list, as_words, field_choices, row_link
from tenants.admin.forms import Administrator
from tenants.admin.intents import EditableAdmin, Intent, RowPage
from tenants.admin.permissions import Permission
from tenants.admin.trail import clock

from . import (  # noqa: F401 - the others register tables
    admin_applications,
    admin_groups,
    admin_imports,
    admin_tokens,
)
from .admin_guests import InviteGuestForm
from .admin_methods import method_intents
from .admin_people import (
    AssignLicenceForm,
    ContactsForm,
    DisableForm,
    EnableForm,
    EndSessionsForm,
    GroupsForm,
    NewPersonForm,
    ProfileForm,
    RemoveGuestForm,
    RemoveLicenceForm,
    RequireChangeForm,
    RolesForm,
    ThawForm,
)
from .admin_search import PeopleList
from .models import GroupMember, Session, User
from .people import belongings_of
from .registered import registered_things
from .services import assign_licence, remove_licence
from .signin.admin_login import sign_in
from .signin.stages import may_enter

tenant_site.sign_in = sign_in
tenant_site.may_enter = may_enter
admin_groups.extend()

_NO_ROLES = models.Q(roles=[])
_WHO_DECIDES = {
    User.Origin.PARTNER.value: "The policy of the home organisation decides, not this one's.",
    User.Origin.PERSONAL.value: "A personal account: its own service recovers it, nothing here.",
}
_OWN_POLICY = "This organisation's policy decides, with the registered mailbox as a proof."


def person_intents() -> list[Intent]:
    """What can be done with a person, in the order in which it is offered."""
    people, licences = Permission.PEOPLE, Permission.LICENCES
    return [
        Intent("contacts", "Contacts", people, ContactsForm),
        Intent("groups", "Groups", Permission.GROUPS, GroupsForm),
        Intent("roles", "Roles", Permission.ROLES, RolesForm, _is_member),
        Intent("assign-licence", "Assign licence", licences, AssignLicenceForm, _needs_licence),
        Intent("remove-licence", "Remove licence", licences, RemoveLicenceForm, _has_licence),
        *method_intents(),
        Intent("thaw", "Let in again", Permission.RECOVER, ThawForm, _is_frozen),
        Intent("end-sessions", "End sessions", Permission.RECOVER, EndSessionsForm),
        Intent(
            "require-change",
            "Require a new password",
            Permission.RECOVER,
            RequireChangeForm,
            _could_change,
        ),
        Intent("disable", "Disable", people, DisableForm, _is_enabled),
        Intent("enable", "Enable", people, EnableForm, _is_disabled),
        Intent("remove", "Remove guest", people, RemoveGuestForm, _is_guest),
    ]


def _could_change(user: User) -> bool:
    """Whether the password is kept here, and nobody asked for another one yet."""
    kept_here = user.source == User.Source.CLOUD and user.has_usable_password()
    return kept_here and not user.must_change_password


def _is_guest(user: User) -> bool:
    return user.kind == User.Kind.GUEST


def _is_member(user: User) -> bool:
    return user.kind != User.Kind.GUEST


def _has_licence(user: User) -> bool:
    return user.licence_id is not None


def _needs_licence(user: User) -> bool:
    return user.licence_id is None


def _is_frozen(user: User) -> bool:
    return user.frozen_at is not None


def _is_enabled(user: User) -> bool:
    return user.is_active


def _is_disabled(user: User) -> bool:
    return not user.is_active


@admin.register(User, site=tenant_site)
class UserAdmin(PeopleList, EditableAdmin):
    """Members and guests of the tenant, with what they registered; never with what it holds."""

    heading = "People"
    area, place = "People", 10
    also_listed = (("Guests", 20, "?kind=guest"),)
    adder = Intent("add", "Add person", Permission.PEOPLE, NewPersonForm)
    editor = Intent("profile", "Profile", Permission.PEOPLE, ProfileForm)
    actions = ("assign_licences", "remove_licences")
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

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.intents += person_intents()
        self.list_intents.append(
            Intent("invite", "Invite a guest", Permission.PEOPLE, InviteGuestForm)
        )

    def get_list_display(self, request: HttpRequest) -> Any:
        """Of guests other things matter."""
        if request.GET.get("kind") != User.Kind.GUEST:
            return self.list_display
        return ("user_id", "display_name", "shown_origin", "home", "enabled", "who_decides")

    def get_actions(self, request: HttpRequest) -> Any:
        """Bulk actions for those who may; asking for one without it is denied."""
        if Administrator.of(request).may(Permission.LICENCES):
            return super().get_actions(request)
        if request.method == "POST" and request.POST.get("action") in self.actions:
            raise PermissionDenied
        return {}

    @admin.action(description="Assign a licence")
    def assign_licences(self, request: HttpRequest, people: models.QuerySet[User]) -> None:
        by = self._allowed(request, people)
        done = assign_licence(people, by=by.party, now=timezone.now())
        messages.success(request, f"Licences assigned: {done}.")

    @admin.action(description="Remove the licence")
    def remove_licences(self, request: HttpRequest, people: models.QuerySet[User]) -> None:
        by = self._allowed(request, people)
        done = remove_licence(people, by=by.party, now=timezone.now())
        messages.success(request, f"Licences removed: {done}.")

    @staticmethod
    def _allowed(request: HttpRequest, people: models.QuerySet[User]) -> Administrator:
        by = Administrator.of(request)
        if not all(by.may_touch(Permission.LICENCES, user) for user in people):
            raise PermissionDenied
        return by

    @admin.display(description="Enabled", boolean=True)
    def enabled(self, user: User) -> bool:
        return user.is_active

    @admin.display(description="Licensed", boolean=True)
    def licensed(self, user: User) -> bool:
        return user.licence_id is not None

    @admin.display(description="Roles")
    def shown_roles(self, user: User) -> str:
        return as_list(user.roles)

    @admin.display(description="Origin")
    def shown_origin(self, user: User) -> str:
        return as_words(user.origin) if user.origin else "–"

    @admin.display(description="Which policy decides")
    def who_decides(self, user: User) -> str:
        return _WHO_DECIDES.get(user.origin, _OWN_POLICY)

    @admin.display(description="Open sessions")
    def open_sessions(self, user: User) -> int:
        rows = Session.objects.filter(user=user, epoch=user.session_epoch)
        return int(rows.filter(expires_at__gt=timezone.now()).count())

    def facts(self, row: User) -> Sequence[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [
            ("User ID", row.user_id),
            ("Kind", row.get_kind_display()),
            ("Enabled", "yes" if row.is_active else "no"),
            ("Licence", "yes" if row.licence_id is not None else "no"),
            ("Roles", self.shown_roles(row)),
            ("Password kept", as_words(row.source)),
            ("Open sessions", self.open_sessions(row)),
        ]
        if row.frozen_at is not None:
            found.append(("Stopped by “this was not me”", clock(row.frozen_at)))
        if row.kind == User.Kind.GUEST:
            found += [
                ("Origin", self.shown_origin(row)),
                ("Home organisation", row.home or "–"),
                ("Which policy decides", self.who_decides(row)),
            ]
        return found

    def sections(self, obj: User) -> Sequence[Section]:
        rows = GroupMember.objects.filter(user=obj).select_related("group").order_by("group__name")
        groups = [(row_link(row.group, row.group.name),) for row in rows]
        return [
            Section(
                "Registered methods",
                ("Method", "Hint", "Confirmed or added", "Last used"),
                list(registered(obj)),
                empty="Nothing is registered.",
            ),
            Section("Groups", ("Name",), groups, empty="In no group."),
            *(section for make in self.more_sections for section in make(obj)),
        ]


def add_page(page: RowPage) -> None:
    """Adds a page of an app above to every person."""
    cast(UserAdmin, tenant_site.get_model_admin(User)).pages.append(page)


def registered(user: User) -> Iterable[tuple[str, str, str, str]]:
    """What a person registered: name, masked hint, since when, and when it was used. What is
    inside is never read."""
    for each in registered_things(belongings_of(user)):
        since = clock(each.since) if each.since else "not confirmed"
        if each.method in user.disabled_methods:
            since += ", disabled after too many failures"
        yield each.label, each.detail, since, clock(each.used) if each.used else "–"
