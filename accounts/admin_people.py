"""What is asked when people are edited on the administration site."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from tenants.admin.base import as_words
from tenants.admin.forms import (
    GroupField,
    IntentForm,
    LinesField,
    ReasonForm,
    SuggestingInput,
)
from tenants.models import Group
from tenants.roles import ROLES

from .contact_change import ContactsChanged, change_contacts, contact_warnings
from .identifiers import canonical
from .models import ContactPoint, User
from .people import belongings_of, find_user
from .registered import hint_of
from .services import (
    PROFILE,
    add_person,
    assign_licence,
    change_profile,
    change_roles,
    disable_user,
    enable_user,
    end_sessions,
    join_group,
    leave_group,
    remove_guest,
    remove_licence,
    require_change,
    thaw_user,
)

NOBODY = "There is nobody with this user ID."
MOST_AT_ONCE = 1000
_KINDS = {
    ContactPoint.Kind.PRIMARY_EMAIL: "Primary mailbox (notices only)",
    ContactPoint.Kind.ALTERNATE_EMAIL: "Alternate email",
    ContactPoint.Kind.MOBILE_PHONE: "Mobile phone",
    ContactPoint.Kind.OFFICE_PHONE: "Office phone",
}


class PersonField(forms.CharField):
    """A person of the tenant in force, by user ID (or a guest's registered email)."""

    widget = SuggestingInput("accounts", "user", "manager")

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = find_user(text)
        if found is None:
            raise ValidationError(NOBODY, code="unknown")
        return found


class PeopleField(LinesField):
    """People of the tenant in force: user IDs, one a line. Every unknown line is named."""

    def clean(self, value: Any) -> Any:
        lines = super().clean(value)
        if len(lines) > MOST_AT_ONCE:
            raise ValidationError(f"At most {MOST_AT_ONCE} people at once.", code="too_many")
        wanted = {canonical(line): number for number, line in enumerate(lines, 1)}
        clean = [user_id for user_id in wanted if "\x00" not in user_id]
        found = {user.user_id: user for user in User.objects.filter(user_id__in=clean)}
        unknown = [str(wanted[user_id]) for user_id in wanted if user_id not in found]
        if unknown:
            named = ", ".join(unknown[:10])
            raise ValidationError(f"{NOBODY} See line {named}.", code="unknown")
        return list(found.values())


class ProfileForm(IntentForm):
    """Names, language and manager of a person."""

    submit, done = "Save", "The person is saved."

    display_name = forms.CharField(label="Display name", required=False, max_length=256)
    given_name = forms.CharField(label="Given name", required=False, max_length=64)
    surname = forms.CharField(label="Surname", required=False, max_length=64)
    language = forms.CharField(
        label="Language",
        required=False,
        max_length=12,
        help_text="A tag such as en or de. Empty: the organisation's first language.",
    )
    manager = PersonField(label="Manager", required=False, help_text="A user ID.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.row is not None:
            self.initial = {name: getattr(self.row, name) for name in PROFILE}
            self.initial["manager"] = self.row.manager.user_id if self.row.manager else ""

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in PROFILE}

    def save(self, now: datetime) -> User:
        change_profile(self.row, self.values(), by=self.by.party, now=now)
        user: User = self.row
        return user


class NewPersonForm(ProfileForm):
    """A new member; contacts, roles and groups come afterwards."""

    submit, done = "Add person", "The person is there. Now add contacts, a licence and groups."
    intro = (
        "Nobody sets a password for somebody else: the person sets their own, as soon as enough "
        "methods are on file."
    )
    user_id = forms.CharField(
        label="User ID", max_length=113, help_text="name@domain, a domain of the organisation."
    )
    licensed = forms.BooleanField(label="Assign a licence", required=False)
    fieldsets: ClassVar[Sequence[tuple[str, Sequence[str], str]]] = (
        ("", ("user_id", *PROFILE, "licensed"), ""),
    )

    def save(self, now: datetime) -> User:
        data = self.cleaned_data
        user = add_person(data["user_id"], self.values(), by=self.by.party, now=now)
        if data["licensed"]:
            assign_licence([user], by=self.by.party, now=now)
        return user


class ContactsForm(IntentForm):
    """What codes and notices go to. What is on file is shown masked and never filled in."""

    submit, done = "Save contacts", "The contacts are saved. They count as unconfirmed until used."
    intro = (
        "An empty field keeps what is on file. What you write counts as unconfirmed until the "
        "person uses it. The person is told of every change at the addresses on file."
    )
    primary_email = forms.CharField(label=_KINDS[ContactPoint.Kind.PRIMARY_EMAIL], required=False)
    alternate_email = forms.CharField(
        label=_KINDS[ContactPoint.Kind.ALTERNATE_EMAIL], required=False
    )
    mobile_phone = forms.CharField(label=_KINDS[ContactPoint.Kind.MOBILE_PHONE], required=False)
    office_phone = forms.CharField(label=_KINDS[ContactPoint.Kind.OFFICE_PHONE], required=False)
    remove = forms.MultipleChoiceField(
        label="Remove from file", required=False, widget=forms.CheckboxSelectMultiple
    )
    replace_confirmed = forms.BooleanField(
        label="Replace or remove what the person confirmed", required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = belongings_of(self.row).contacts
        for kind in _KINDS:
            row = rows.get(kind.value)
            confirmed = "confirmed" if row is not None and row.confirmed_at else "not confirmed"
            on_file = f"On file: {hint_of(row)}, {confirmed}." if row is not None else "None yet."
            self.fields[kind.value].help_text = on_file
        removable: Any = self.fields["remove"]
        removable.choices = [(kind.value, text) for kind, text in _KINDS.items() if kind in rows]
        if not rows:
            del self.fields["remove"], self.fields["replace_confirmed"]

    def values(self) -> dict[str, str]:
        data = self.cleaned_data
        given = {kind.value: data[kind.value] for kind in _KINDS if data[kind.value]}
        return {**dict.fromkeys(data.get("remove", ()), ""), **given}

    def save(self, now: datetime) -> User:
        self.changed: ContactsChanged = change_contacts(
            self.row,
            self.values(),
            replace_confirmed=bool(self.cleaned_data.get("replace_confirmed")),
            by=self.by.party,
            now=now,
        )
        user: User = self.row
        return user

    def warnings(self) -> list[str]:
        return contact_warnings(self.values()) if self.is_bound else []


class RolesForm(IntentForm):
    """Which directory roles a person holds."""

    submit, done = "Save roles", "The roles are saved."
    roles = forms.MultipleChoiceField(
        label="Roles",
        required=False,
        choices=[(role, as_words(role)) for role in sorted(ROLES)],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"roles": self.row.roles}

    def save(self, now: datetime) -> User:
        change_roles(self.row, self.cleaned_data["roles"], by=self.by.party, now=now)
        user: User = self.row
        return user


class GroupsForm(IntentForm):
    """Which groups a person is in directly."""

    submit, done = "Save groups", "The groups are saved."
    stay: Any = forms.ModelMultipleChoiceField(
        label="Is in",
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Untick a group to take the person out.",
    )
    join = GroupField(label="Add to", required=False, help_text="The name of a group.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["stay"]
        field.queryset = Group.objects.filter(members__user=self.row).order_by("name")
        self.initial = {"stay": list(field.queryset)}

    def save(self, now: datetime) -> User:
        user: User = self.row
        stay = {group.pk for group in self.cleaned_data["stay"]}
        for group in Group.objects.filter(members__user=user):
            if group.pk not in stay:
                leave_group(group, [user], by=self.by.party, now=now)
        if self.cleaned_data["join"] is not None:
            join_group(self.cleaned_data["join"], [user], by=self.by.party, now=now)
        return user


class DisableForm(ReasonForm):
    submit, done = "Disable", "The person is disabled and signed out."
    intro = "A disabled person can neither sign in nor reset. Open sessions end at once."

    def save(self, now: datetime) -> User:
        disable_user(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)
        user: User = self.row
        return user


class EnableForm(ReasonForm):
    submit, done = "Enable", "The person is enabled."

    def save(self, now: datetime) -> User:
        enable_user(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)
        user: User = self.row
        return user


class ThawForm(ReasonForm):
    submit, done = "Let in again", "The person may sign in and reset again."
    intro = (
        'The account was stopped because somebody with the link from our message said "this was '
        'not me". Be sure that the right person has the mailbox and the phone on file, then let '
        "them in again."
    )

    def save(self, now: datetime) -> User:
        thaw_user(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)
        user: User = self.row
        return user


class EndSessionsForm(ReasonForm):
    submit, done = "End sessions", "The person is signed out everywhere."

    def save(self, now: datetime) -> User:
        end_sessions(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)
        user: User = self.row
        return user


class RequireChangeForm(ReasonForm):
    submit, done = "Require a new password", "The person has to choose another password first."
    intro = (
        "At the next page the person has to choose another password, and does nothing else before. "
        "Nobody else sets it or learns it."
    )

    def save(self, now: datetime) -> User:
        require_change(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)
        user: User = self.row
        return user


class RemoveGuestForm(ReasonForm):
    submit, done = "Remove guest", "The guest is removed."
    intro = "Removes the guest with everything on file. The audit trail keeps what happened."

    def save(self, now: datetime) -> None:
        remove_guest(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)


class AssignLicenceForm(IntentForm):
    submit, done = "Assign licence", "The licence is assigned."

    def save(self, now: datetime) -> User:
        assign_licence([self.row], by=self.by.party, now=now)
        user: User = self.row
        return user


class RemoveLicenceForm(IntentForm):
    submit, done = "Remove licence", "The licence is removed."

    def save(self, now: datetime) -> User:
        remove_licence([self.row], by=self.by.party, now=now)
        user: User = self.row
        return user
