"""Forms of the operator site. What the product's rules say is checked by them, not twice here."""

from typing import Any

from django import forms

from ..models import Subscription
from .access import LONGEST, SHORTEST

PLANS = Subscription.Plan.choices
_CODE = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
TRIAL_HELP = "Only while the plan is being tried."


class ReasonForm(forms.Form):
    """Why an operator does this. It is shown to the organisation's administrators."""

    reason = forms.CharField(
        label="Reason",
        min_length=SHORTEST,
        max_length=LONGEST,
        help_text="A ticket number or a sentence. Administrators of the organisation can read it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PlanForm(forms.Form):
    """What the organisation bought."""

    plan = forms.ChoiceField(choices=PLANS)
    trial_started = forms.DateField(
        label="Trial since", required=False, widget=_DATE, help_text=TRIAL_HELP
    )


class NameForm(forms.Form):
    """A domain or a host name to add."""

    name = forms.CharField(max_length=253, widget=forms.TextInput(attrs=_CODE))


class TenantForm(forms.Form):
    """A new organisation."""

    slug = forms.CharField(
        label="Short name",
        max_length=63,
        help_text="Small letters, digits and dashes. It can't be changed later.",
        widget=forms.TextInput(attrs=_CODE),
    )
    name = forms.CharField(label="Name people read", max_length=100)
    plan = forms.ChoiceField(choices=PLANS, initial="p1")
    trial_started = forms.DateField(
        label="Trial since", required=False, widget=_DATE, help_text=TRIAL_HELP
    )
    domain = forms.CharField(
        label="First domain of user IDs",
        max_length=253,
        help_text="Like contoso.example.",
        widget=forms.TextInput(attrs=_CODE),
    )
    admin = forms.CharField(
        label="User ID of the first administrator",
        max_length=113,
        help_text="Like ada@contoso.example. They get no password from here.",
        widget=forms.TextInput(attrs=_CODE),
    )
    email = forms.CharField(
        label="Their mailbox for notices",
        max_length=254,
        widget=forms.EmailInput(attrs=_CODE),
    )
    alternate_email = forms.CharField(
        label="Their mailbox elsewhere",
        required=False,
        max_length=254,
        help_text=(
            "With this and a mobile number they set their first password on the portal,"
            " under Forgot my password."
        ),
        widget=forms.EmailInput(attrs=_CODE),
    )
    mobile_phone = forms.CharField(
        label="Their mobile number",
        required=False,
        max_length=40,
        help_text="Like +1 4255550101.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        for name in ("slug", "domain", "admin"):
            values[name] = str(values.get(name) or "").lower()
        return values


FIELDS = {
    "tenant.slug": "slug",
    "tenant.name": "name",
    "tenant.trial_started": "trial_started",
    "tenant.domains[0].name": "domain",
    "users[0].id": "admin",
    "users[0].email": "email",
    "users[0].alternate_email": "alternate_email",
    "users[0].mobile_phone": "mobile_phone",
}
"""Key of the file → field of TenantForm."""
