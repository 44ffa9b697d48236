"""What is asked about a directory that the product reaches itself."""

from datetime import datetime
from typing import Any

from django import forms

from tenants.admin.forms import IntentForm, LinesField, ReasonForm
from tenants.invalid import refusal
from tenants.secret import Secret

from ..connectors.settings import SettingWrong
from ..direct_settings import LONGEST, DirectSettings
from ..models import Connector
from ..services.direct import set_direct, stop_direct, try_direct
from ..state_words import find_trouble

MOST_PER_HOUR, MOST_AT_ONCE = 10_000, 1_000


class DirectForm(IntentForm):
    """The secret is only ever written here: no page shows it again."""

    submit = "Reach it directly"
    done = "The product reaches the directory itself from now on. “Try it now” says how it is."
    intro = (
        "Without an agent: the product itself signs in to the directory and sets passwords there. "
        "Only hosts that the people who run this service have allowed can be reached; Microsoft's "
        "own are allowed for Entra ID. Agents of the directory go on working beside it."
    )
    settings = forms.CharField(
        label="Settings",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocomplete": "off"}),
        help_text=(
            "As they stand below [directory.settings] of an agent, such as "
            'servers = ["dc1.example.com"]. A certificate is written as ca_pem. No secrets.'
        ),
    )
    places = LinesField(
        label="Places",
        required=False,
        help_text="Distinguished names below which people may be touched, one a line. Entra ID "
        "and SCIM: paths, such as /users.",
    )
    per_hour = forms.IntegerField(
        label="Passwords an hour",
        min_value=1,
        max_value=MOST_PER_HOUR,
        help_text="More are not set, whatever happens.",
    )
    burst = forms.IntegerField(
        label="Passwords at once",
        min_value=1,
        max_value=MOST_AT_ONCE,
        help_text="So many may follow one another without a pause.",
    )
    secret = forms.CharField(
        label="Secret",
        required=False,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The account's password, the application's secret or the token. It is stored "
        "sealed and never shown. Empty: the one that is stored stays.",
    )

    def __init__(self, *args: Any, row: Connector, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        self.initial = _standing(row).stored()

    def save(self, now: datetime) -> Connector:
        given = self.cleaned_data
        wanted = DirectSettings(
            given["settings"].replace("\r\n", "\n"),
            tuple(given["places"]),
            given["per_hour"],
            given["burst"],
        )
        set_direct(self.row, wanted, Secret(given["secret"]), by=self.by.party, now=now)
        row: Connector = self.row
        return row


class TryDirectForm(IntentForm):
    submit = "Try it now"
    done = "The directory answers, and lets the account in."
    intro = (
        "Signs in to the directory with the account and changes nothing. Where there is an account "
        "for drills, whether it may be reset is looked up too."
    )

    def save(self, now: datetime) -> Connector:
        health = try_direct(self.row, now)
        words = find_trouble(health.trouble, direct=True)
        if words is not None:
            raise refusal("", health.trouble, f"{words.name}. {words.means} {words.fix}")
        row: Connector = self.row
        return row


class StopDirectForm(ReasonForm):
    submit, done = "Stop reaching it directly", "The product does not reach it itself any more."
    intro = (
        "Settings and secret are forgotten. Passwords can then be written there through agents "
        "only."
    )

    def save(self, now: datetime) -> Connector:
        stop_direct(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)
        row: Connector = self.row
        return row


def _standing(row: Connector) -> DirectSettings:
    """What is set up, or what a form begins with."""
    try:
        return DirectSettings.read(row.settings)
    except SettingWrong:
        return DirectSettings("", ())
