"""Members of groups and licences of many people, added to the pages of the app below."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.db.models import Q

from tenants.admin import Section, tenant_site
from tenants.admin.forms import GroupField, IntentForm
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.permissions import Permission
from tenants.models import Group, Subscription

from .admin_people import PeopleField, PersonField
from .groups import people_inside
from .models import User
from .services import assign_licence, join_group, leave_group, remove_licence

EMPTY = "Name a person, several, or a group."


class JoinForm(IntentForm):
    submit, done = "Add members", "The members are added."
    person = PersonField(label="Person", required=False, help_text="A user ID.")
    people = PeopleField(label="Several people", required=False, help_text="User IDs, one a line.")

    def clean(self) -> None:
        if not self.errors and not _named(self.cleaned_data):
            self.add_error("person", EMPTY)

    def save(self, now: datetime) -> Group:
        group: Group = self.row
        join_group(group, _named(self.cleaned_data), by=self.by.party, now=now)
        return group


class LeaveForm(JoinForm):
    submit, done = "Take out", "They are no longer members."

    def save(self, now: datetime) -> Group:
        group: Group = self.row
        leave_group(group, _named(self.cleaned_data), by=self.by.party, now=now)
        return group


class LicencesForm(IntentForm):
    """Licences of many people at once."""

    submit, done = "Save licences", "The licences are saved."
    what = forms.ChoiceField(
        label="What",
        choices=[("assign", "Assign a licence"), ("remove", "Remove the licence")],
        widget=forms.RadioSelect,
        initial="assign",
    )
    people = PeopleField(label="People", required=False, help_text="User IDs, one a line.")
    group = GroupField(
        label="Everybody in the group", required=False, help_text="Groups inside it count."
    )

    def clean(self) -> None:
        data = self.cleaned_data
        if not self.errors and not data["people"] and data["group"] is None:
            self.add_error("people", EMPTY)
        if not self.errors and any(
            not self.by.may_touch(Permission.LICENCES, user) for user in self._people()
        ):
            self.add_error("people", "Somebody among them holds a role; you may not change them.")

    def _people(self) -> list[User]:
        data = self.cleaned_data
        found = {user.pk: user for user in data["people"]}
        if data["group"] is not None:
            inside = people_inside(data["group"].pk)
            found.update((user.pk, user) for user in User.objects.filter(pk__in=inside))
        return list(found.values())

    def save(self, now: datetime) -> Any:
        work = assign_licence if self.cleaned_data["what"] == "assign" else remove_licence
        work(self._people(), by=self.by.party, now=now)
        return self.row


def _named(data: dict[str, Any]) -> list[User]:
    person = data.get("person")
    return [*data.get("people", ()), *([person] if person is not None else [])]


def licence_section(subscription: Subscription) -> Sequence[Section]:
    """How many people have a licence, and how many have none."""
    assigned = User.objects.filter(licence=subscription).count()
    without = User.objects.filter(licence=None)
    rows = [
        ("Assigned", assigned),
        ("Members without one", without.filter(~Q(kind=User.Kind.GUEST)).count()),
        ("Guests without one (they need none)", without.filter(kind=User.Kind.GUEST).count()),
    ]
    about = "The plan is the operator's to change: ask the operator of this installation."
    return [Section("Who has a licence", ("What", "People"), rows, about=about)]


def _editable(model: Any) -> EditableAdmin:
    return cast(EditableAdmin, tenant_site.get_model_admin(model))


def extend() -> None:
    """Adds what this app knows to the pages of groups and licences."""
    _editable(Group).intents[:0] = [
        Intent("join", "Add members", Permission.GROUPS, JoinForm),
        Intent("leave", "Take members out", Permission.GROUPS, LeaveForm),
    ]
    licences = _editable(Subscription)
    licences.intents.append(
        Intent("assign", "Assign or remove licences", Permission.LICENCES, LicencesForm)
    )
    licences.more_sections.append(licence_section)
