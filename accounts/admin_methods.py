"""What the help desk does with a person's methods: give a pass, remove what was lost, have
everything registered again. Each with a reason, and the person is told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms

from tenants.admin.forms import ReasonForm
from tenants.admin.intents import Intent
from tenants.admin.permissions import Permission

from .disabled import enable_methods
from .methods.own_codes import written
from .models import ContactPoint, User
from .passes import issue_pass
from .people import belongings_of
from .registered import registered_things, remove_registered, require_registration
from .telling import tell

LIFETIMES = [("10", "10 minutes"), ("30", "30 minutes"), ("60", "60 minutes")]


class IssuePassForm(ReasonForm):
    """A pass is shown on the answer to this form alone."""

    submit = "Issue the pass"
    done = (
        "This is the pass. It is shown this once; tell it to nobody but the person. A pass that "
        "was issued before no longer works."
    )
    intro = (
        "Make sure first that you speak to the person, by a way that does not depend on what they "
        "tell you. The pass proves who they are, for one way of a reset or to register methods; "
        "it sets no password. The person is told by mail. If the person is locked out of "
        "recovery, lift the block, too."
    )
    minutes = forms.ChoiceField(label="Works for", choices=LIFETIMES, initial="30")
    again = forms.BooleanField(
        label="Works more than once within that time",
        required=False,
        help_text="Only where one use is not enough, such as for a first sign-in on two devices.",
    )
    field_order = ("minutes", "again", "reason")

    def save(self, now: datetime) -> User:
        data, user = self.cleaned_data, self.row
        self.issued = issue_pass(
            user,
            lifetime=timedelta(minutes=int(data["minutes"])),
            once=not data["again"],
            reason=data["reason"],
            by=self.by.party,
            now=now,
        )
        return user  # type: ignore[no-any-return]  # rows of intents are untyped

    def shown_once(self) -> tuple[str, str]:
        return "Pass", written(self.issued.reveal())


class RemoveMethodForm(ReasonForm):
    submit, done = "Remove", "The method is removed, and the person was told."
    intro = (
        "For what was lost or stolen. The person can't prove who they are with it any more; what "
        "was proved with it in a reset that is under way is void. A token goes back to the "
        "inventory."
    )
    thing = forms.ChoiceField(label="Method", widget=forms.RadioSelect)
    field_order = ("thing", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["thing"]
        choices.choices = [
            (each.id, f"{each.label}: {each.detail}" if each.detail else each.label)
            for each in registered_things(belongings_of(self.row))
            if each.id
        ]

    def save(self, now: datetime) -> User:
        data = self.cleaned_data
        remove_registered(self.row, data["thing"], data["reason"], by=self.by.party, now=now)
        user: User = self.row
        return user


class EnableMethodsForm(ReasonForm):
    submit, done = "Enable again", "The methods are enabled, and the person was told."
    intro = (
        "A method is disabled after 100 failures in a row, because somebody may be guessing. Make "
        "sure that this is over."
    )

    def save(self, now: datetime) -> User:
        user: User = User.objects.select_for_update(no_key=True).get(pk=self.row.pk)
        enable_methods(user, self.by.party, now=now, reason=self.cleaned_data["reason"])
        tell("methods_enabled", user, ContactPoint.objects.filter(user=user), {}, now=now)
        return user


class RequireRegistrationForm(ReasonForm):
    submit, done = "Require it", "The person registers again at the next sign-in, and was told."
    intro = (
        "At the next sign-in the person is led through registering again. What is on file keeps "
        "working until then; remove what was lost."
    )

    def save(self, now: datetime) -> User:
        reason = self.cleaned_data["reason"]
        require_registration(self.row, reason, by=self.by.party, now=now)
        user: User = self.row
        return user


def method_intents() -> Sequence[Intent]:
    """What can be done with a person's methods, in the order in which it is offered."""
    methods = Permission.METHODS
    return [
        Intent("issue-pass", "Issue a pass", Permission.PASSES, IssuePassForm, _is_usable),
        Intent("remove-method", "Remove a method", methods, RemoveMethodForm),
        Intent("enable-methods", "Enable methods", methods, EnableMethodsForm, _has_disabled),
        Intent("require-registration", "Require registering", methods, RequireRegistrationForm),
    ]


def _is_usable(user: User) -> bool:
    return user.usable


def _has_disabled(user: User) -> bool:
    return bool(user.disabled_methods)
