"""What the organisation says about itself, on one page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms

from ..models import Tenant
from ..settings_change import change_settings
from .forms import IntentForm

COLUMNS = (
    "name",
    "languages",
    "disclosure",
    "reveal_reason",
    "guest_sign_up",
    "helpdesk_email",
    "helpdesk_url",
    "helpdesk_phone",
    "brand_color",
    "brand_logo",
)


class TagsField(forms.CharField):
    """Language tags with commas between them, in the order of their importance."""

    def to_python(self, value: Any) -> Any:
        text = ",".join(value) if isinstance(value, list) else super().to_python(value) or ""
        return list(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def run_validators(self, value: Any) -> None:
        """The service looks at each tag."""


class SettingsForm(IntentForm):
    """One row: the tenant itself."""

    submit = "Save settings"
    done = "The settings are saved."

    name = forms.CharField(label="Name", max_length=100, help_text="As people read it in mails.")
    languages = TagsField(
        label="Languages",
        required=False,
        help_text="Tags such as en, de, with commas; the first one is for people without a "
        "language of their own. Empty: every language of the product.",
    )
    disclosure = forms.ChoiceField(
        label="What the portal discloses",
        choices=[
            ("guided", "Guided: eligible people see their own methods with masked hints"),
            ("concealed", "Concealed: everybody walks the same way, nothing tells who exists"),
        ],
        widget=forms.RadioSelect,
    )
    reveal_reason = forms.BooleanField(
        label="Show the reason code to people who are refused", required=False
    )
    guest_sign_up = forms.BooleanField(
        label="People from outside may make themselves a guest account", required=False
    )
    helpdesk_email = forms.CharField(label="Email", required=False, max_length=254)
    helpdesk_url = forms.CharField(label="Web page", required=False, max_length=200)
    helpdesk_phone = forms.CharField(label="Phone", required=False, max_length=40)
    brand_color = forms.CharField(
        label="Colour", required=False, max_length=7, help_text="# and six digits, like #0b5cad."
    )
    brand_logo = forms.CharField(
        label="Logo", required=False, max_length=200, help_text="Path or address of a picture."
    )
    fieldsets: ClassVar[Sequence[tuple[str, Sequence[str], str]]] = (
        ("Organisation", ("name", "languages"), ""),
        ("What the portal tells", ("disclosure", "reveal_reason"), ""),
        ("Guests", ("guest_sign_up",), "Or an administrator invites them."),
        (
            "Help desk",
            ("helpdesk_email", "helpdesk_url", "helpdesk_phone"),
            "Whom people ask who can't help themselves.",
        ),
        ("Branding", ("brand_color", "brand_logo"), ""),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {name: getattr(self.row, name) for name in COLUMNS}

    def save(self, now: datetime) -> Tenant:
        values = {name: self.cleaned_data[name] for name in COLUMNS}
        change_settings(values, by=self.by.party, now=now)
        return Tenant.objects.get()
