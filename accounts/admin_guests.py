"""Inviting a guest on the administration site."""

from datetime import datetime
from typing import Any

from django import forms

from tenants.admin.forms import IntentForm

from .guests import invite
from .models import User


class InviteGuestForm(IntentForm):
    """The list's own intent: nobody is there yet."""

    submit, done = "Send invitation", "The invitation is on its way. Its link works for a week."
    intro = (
        "The guest joins by the link in the mail. Where the address belongs to another "
        "organisation here, that one's policy decides about the guest's password."
    )

    email = forms.CharField(label="Email address", max_length=254)
    display_name = forms.CharField(label="Display name", required=False, max_length=256)
    personal = forms.BooleanField(
        label="A personal account of another service",
        required=False,
        help_text="That service keeps and recovers the password; nothing is kept here.",
    )

    def save(self, now: datetime) -> Any:
        data = self.cleaned_data
        actor = User.objects.filter(pk=self.by.id).first()
        invite(
            data["email"],
            data["display_name"],
            personal=data["personal"],
            by=self.by.party,
            actor=actor,
            now=now,
        )
