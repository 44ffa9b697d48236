"""Directory accounts on the page of a person, and resetting the password that is kept there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils import timezone

import accounts.admin  # noqa: F401 - registers people, whose page is added to
from accounts.models import User
from tenants.admin import Section, tenant_site
from tenants.admin.base import row_link
from tenants.admin.forms import IntentForm, ReasonForm
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.permissions import Permission
from tenants.admin.trail import clock

from ..described_words import marks_in_words
from ..models import Connector, DirectoryLink, DirectoryOrder
from ..reports import NotAReport, person_read
from ..services.links import LONGEST, add_link, change_link, look_again, remove_link
from ..services.ordering import Asked, order_reset
from ..services.states import state_for
from ..state_words import STATES

SOURCES = [
    (User.Source.PASS_THROUGH.value, "In the directory itself"),
    (User.Source.PASSWORD_HASH_SYNC.value, "Here, with a copy that a synchronisation keeps"),
    (User.Source.FEDERATED.value, "By the organisation's own sign-in service"),
]
_COLUMNS = ("Directory", "Permanent id", "What it says", "Looked at")


class NewLinkForm(IntentForm):
    """Which account in which directory is this person's."""

    submit, done = "Add account", "The account is added, and its directory is asked about it."
    intro = (
        "Whose password is set at a reset follows from this. Take the permanent id from the "
        "directory itself, not from what somebody tells you."
    )
    connector = forms.ChoiceField(label="Directory")
    anchor = forms.CharField(
        label="Permanent id",
        max_length=LONGEST,
        help_text="Active Directory: objectGUID; OpenLDAP: entryUUID; otherwise its own id.",
    )
    source = forms.ChoiceField(
        label="Where the password is compared at a sign-in",
        choices=SOURCES,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["connector"]
        choices.choices = [(str(row.pk), row.name) for row in _unlinked(self.row)]
        known = self.row.source != User.Source.CLOUD
        self.initial = {"source": self.row.source if known else User.Source.PASS_THROUGH.value}

    def save(self, now: datetime) -> User:
        data, user = self.cleaned_data, self.row
        connector = Connector.objects.get(pk=data["connector"])
        add_link(user, connector, data["anchor"], data["source"], by=self.by.party, now=now)
        look_again(user, now)
        return cast(User, user)


class _LinkForm(IntentForm):
    """Asks which of the person's accounts is meant."""

    link = forms.ChoiceField(label="Directory account", widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        links = _links(self.row)
        choices: Any = self.fields["link"]
        choices.choices = [(str(row.pk), f"{row.connector.name}: {row.anchor}") for row in links]
        if len(links) == 1:
            self.initial = {"link": str(links[0].pk)}

    @property
    def chosen(self) -> DirectoryLink:
        found: DirectoryLink = DirectoryLink.objects.get(
            pk=self.cleaned_data["link"], user=self.row
        )
        return found


class ChangeLinkForm(_LinkForm):
    submit, done = "Change account", "The account is changed, and its directory is asked about it."
    intro = NewLinkForm.intro
    anchor = forms.CharField(label="Its new permanent id", max_length=LONGEST)

    def save(self, now: datetime) -> User:
        change_link(self.chosen, self.cleaned_data["anchor"], by=self.by.party, now=now)
        look_again(self.row, now)
        return cast(User, self.row)


class RemoveLinkForm(_LinkForm):
    submit, done = "Remove account", "The account is removed. In the directory nothing changed."
    intro = "The person's password in that directory can't be reset, unlocked or changed any more."
    to_cloud = forms.BooleanField(
        label="Afterwards the password is kept here and in no directory",
        required=False,
        help_text="Counts when it was the last account. The person sets a new password by a reset.",
    )

    def save(self, now: datetime) -> User:
        to_cloud = self.cleaned_data["to_cloud"]
        remove_link(self.chosen, to_cloud=to_cloud, by=self.by.party, now=now)
        return cast(User, self.row)


class LookAgainForm(IntentForm):
    submit = "Look again"
    done = "The directories are asked. What they say stands here in a few seconds."
    intro = (
        "Asks the person's directories whether the account is locked, disabled or protected, when "
        "the password ends, and for its rules. Nothing is changed there."
    )

    def save(self, now: datetime) -> User:
        look_again(self.row, now)
        return cast(User, self.row)


class ResetForm(ReasonForm):
    """An administrator may start a reset but not choose the password (ASVS 6.4.6)."""

    submit = "Reset the password"
    done = "The reset is ordered."
    intro = (
        "Make sure first that you speak to the person, by a way that does not depend on what they "
        "tell you. A temporary password is drawn and set in every directory of the person, the "
        "account is unlocked, and at the next sign-in the person has to choose another password. "
        "You are shown the temporary one once, when a directory has it. Their sessions end, and "
        "they are told by mail."
    )

    def told_before(self) -> str:
        return f"{STATES[state_for(self.row, timezone.now())].means} {self.intro}"

    def save(self, now: datetime) -> DirectoryOrder:
        by, reason = self.by, self.cleaned_data["reason"]
        return order_reset(self.row, Asked(by.id, by.user_id, by.session, reason), now)


def _links(user: User) -> list[DirectoryLink]:
    rows = DirectoryLink.objects.filter(user=user).select_related("connector")
    return list(rows.order_by("connector__name"))


def _unlinked(user: User) -> list[Connector]:
    rows = Connector.objects.exclude(links__user=user)
    return list(rows.order_by("name"))


def _can_be_linked(user: User) -> bool:
    return user.kind == User.Kind.MEMBER and bool(_unlinked(user))


def _has_links(user: User) -> bool:
    return bool(DirectoryLink.objects.filter(user=user).exists())


def accounts_of(user: User) -> Sequence[Section]:
    rows = [
        (
            row_link(link.connector, link.connector.name),
            link.anchor,
            "; ".join(_marks(link)),
            clock(link.described_at) if link.described_at is not None else "not yet",
        )
        for link in _links(user)
    ]
    if not rows and user.source == User.Source.CLOUD:
        return ()
    empty = "None is known, so the password can't be reset from here."
    return [Section("Directory accounts", _COLUMNS, rows, empty=empty)]


def _marks(link: DirectoryLink) -> list[str]:
    described = link.described if isinstance(link.described, dict) else {}
    try:
        person = person_read(described.get("person"))
    except NotAReport:
        # Written by another version of the product, or nothing was said of the person.
        person = None
    return marks_in_words(person) if person is not None else ["–"]


def extend() -> None:
    """Adds accounts, and what is done with them, to every person."""
    people = cast(EditableAdmin, tenant_site.get_model_admin(User))
    may, look = Permission.DIRECTORIES, Permission.RESET
    people.more_sections.append(accounts_of)
    people.intents += [
        Intent("reset", "Reset password in the directory", look, ResetForm, _has_links),
        Intent("look-again", "Look at the directory again", look, LookAgainForm, _has_links),
        Intent("link", "Add directory account", may, NewLinkForm, _can_be_linked),
        Intent("change-link", "Change directory account", may, ChangeLinkForm, _has_links),
        Intent("unlink", "Remove directory account", may, RemoveLinkForm, _has_links),
    ]


extend()
