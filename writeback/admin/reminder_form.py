"""What is asked about reminders before a password ends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from tenants.admin.forms import IntentForm, LinesField

from ..expiry import DEFAULT_MARKS, LONGEST_MARK, LONGEST_TEXT, MACROS, MOST_MARKS
from ..models import Connector, ExpiryReminders
from ..services.reminding import TEXT, ReminderSettings, change_reminders, names_of

CHANNELS = {
    ExpiryReminders.Channel.EMAIL.value: "By mail",
    ExpiryReminders.Channel.SMS.value: "By text message; by mail where no mobile number is known",
    ExpiryReminders.Channel.BOTH.value: "By mail and by text message",
}
NO_NUMBERS = "Write whole numbers with commas between them, such as 14, 7, 1."
NO_DIRECTORY = "There is no directory yet, so nobody is reminded."
NO_DAYS = "No day is named, so nobody is reminded."
OWN_WORDS = (
    f"They stand before the product's, in the person's language. At most {LONGEST_TEXT} "
    f"characters; {', '.join('{' + name + '}' for name in MACROS)} are filled in."
)


class DaysField(forms.CharField):
    """Whole numbers with commas between them."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if not all(part.isascii() and part.isdecimal() and len(part) <= 4 for part in parts):
            raise ValidationError(NO_NUMBERS, code="numbers")
        return [int(part) for part in parts]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def run_validators(self, value: Any) -> None:
        """The service looks at each day."""


class RemindersForm(IntentForm):
    """All settings on one page; none are there before they are saved once."""

    submit, done = "Save reminders", "The reminders are saved."
    intro = (
        "People whose password is kept in a directory are told before it ends, from eight in the "
        "morning on and once a day that is named. Nobody is told whose account is disabled or was "
        "not seen for two days."
    )
    days = DaysField(
        label="Days before the end",
        required=False,
        max_length=100,
        help_text=f"At most {MOST_MARKS}, from 1 to {LONGEST_MARK}, with commas. Empty: nobody is "
        "reminded.",
    )
    channel = forms.ChoiceField(
        label="How people are told", choices=list(CHANNELS.items()), widget=forms.RadioSelect
    )
    groups_excluded = LinesField(
        label="Groups that are left out",
        required=False,
        help_text="Names, one a line. Groups inside them are left out, too.",
    )
    exclude_unregistered = forms.BooleanField(
        label="Leave out people who have registered nothing", required=False
    )
    managers_summary = forms.BooleanField(
        label="Tell managers once a week whose passwords end",
        required=False,
        help_text="By mail, each of their own people alone.",
    )
    fieldsets: ClassVar[Sequence[tuple[str, Sequence[str], str]]] = (
        ("When and how", ("days", "channel"), ""),
        ("Whom", ("groups_excluded", "exclude_unregistered", "managers_summary"), ""),
        (
            "Your own words",
            tuple(f"{TEXT}{tag}" for tag, _ in settings.LANGUAGES),
            OWN_WORDS,
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for tag, name in settings.LANGUAGES:
            attrs = {"rows": 4, "lang": tag, "dir": "auto"}
            self.fields[f"{TEXT}{tag}"] = forms.CharField(
                label=name, required=False, widget=forms.Textarea(attrs=attrs)
            )
        self.initial = {**_initial(self.row), **self.initial}

    def wanted(self) -> ReminderSettings:
        """The settings as the service takes them, from a form without errors."""
        given = self.cleaned_data
        texts = {tag: given[f"{TEXT}{tag}"] for tag, _ in settings.LANGUAGES}
        return ReminderSettings(
            days=given["days"],
            channel=given["channel"],
            groups_excluded=given["groups_excluded"],
            exclude_unregistered=given["exclude_unregistered"],
            managers_summary=given["managers_summary"],
            texts={tag: text.replace("\r\n", "\n") for tag, text in texts.items()},
        )

    def save(self, now: datetime) -> ExpiryReminders:
        change_reminders(self.wanted(), by=self.by.party, now=now)
        row: ExpiryReminders = ExpiryReminders.objects.get()
        return row

    def warnings(self) -> list[str]:
        found = [] if Connector.objects.exists() else [NO_DIRECTORY]
        return found if self.cleaned_data["days"] else [*found, NO_DAYS]


def _initial(row: ExpiryReminders | None) -> dict[str, Any]:
    shown = row if row is not None else ExpiryReminders(days=list(DEFAULT_MARKS))
    return {
        "days": shown.days,
        "channel": shown.channel,
        "groups_excluded": names_of(shown),
        "exclude_unregistered": shown.exclude_unregistered,
        "managers_summary": shown.managers_summary,
        **{f"{TEXT}{tag}": shown.texts.get(tag, "") for tag, _ in settings.LANGUAGES},
    }
