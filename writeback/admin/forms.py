"""What is asked about directories and their agents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings

from tenants.admin.forms import IntentForm, ReasonForm
from tenants.invalid import refusal

from ..models import Agent, Connector, DirectoryLink
from ..services.connectors import (
    ConnectorSettings,
    add_connector,
    change_connector,
    remove_connector,
)
from ..services.enrolment import MAX_AGENTS, WrongState, confirm, make_code, revoke
from ..words import fingerprint

CONFIG = "/etc/sspr-agent/agent.toml"
TYPED = 2
"""So many words are not shown here, because they have to come from the agent's screen."""
OTHER_NAME = "This is not the name of the directory."
OTHER_WORDS = (
    "These are not the first two words of this agent. If its screen shows exactly what you typed, "
    "do not confirm: another agent used the code. Revoke this one and make a new code."
)
NOT_POSSIBLE = (
    f"This can't be confirmed: it was confirmed or revoked already, or the directory has "
    f"{MAX_AGENTS} agents."
)
REVOKED_ALREADY = "This agent was revoked already."


class ConnectorForm(IntentForm):
    """What is set about a directory."""

    done = "The directory is saved."
    name = forms.CharField(
        label="Name", max_length=100, help_text="People see it where they have several directories."
    )
    kind = forms.ChoiceField(label="Kind", choices=Connector.Kind.choices)
    canary = forms.CharField(
        label="Account for drills",
        required=False,
        max_length=200,
        help_text=(
            "The permanent id of an account that is nobody's. Its password is set now and then to "
            "find out whether everything works. Empty: no drills."
        ),
    )
    enabled = forms.BooleanField(
        label="Passwords are written",
        required=False,
        initial=True,
        help_text="Off: nothing is written there, and agents stay enrolled.",
    )

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        if row is not None:
            self.initial = {name: getattr(row, name) for name in self.fields}

    @property
    def settings(self) -> ConnectorSettings:
        return ConnectorSettings(**self.cleaned_data)

    def save(self, now: datetime) -> Connector:
        change_connector(self.row, self.settings, by=self.by.party, now=now)
        row: Connector = self.row
        return row


class NewConnectorForm(ConnectorForm):
    submit = "Add directory"
    done = "The directory is added. Now make a code for its first agent."

    def save(self, now: datetime) -> Connector:
        return add_connector(self.settings, by=self.by.party, now=now)


class RemoveConnectorForm(ReasonForm):
    submit, done = "Remove directory", "The directory is removed."
    name = forms.CharField(
        label="Name of the directory",
        max_length=100,
        help_text="Type it, so that no other one is removed by mistake.",
    )
    field_order = ("name", "reason")

    def told_before(self) -> str:
        agents = Agent.objects.filter(connector=self.row, state=Agent.State.ACTIVE).count()
        people = DirectoryLink.objects.filter(connector=self.row).count()
        return (
            f"What stops: passwords of {_number(people, 'person', 'people')} can't be reset, "
            f"unlocked or changed in {self.row.name} any more, and "
            f"{_number(agents, 'active agent', 'active agents')} will be turned away at the next "
            f"call. Which account there is whose is forgotten, and so are its jobs; the audit "
            f"trail stays. In the directory itself nothing changes."
        )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.row.name:
            raise forms.ValidationError(OTHER_NAME, code="other")
        return name

    def save(self, now: datetime) -> None:
        remove_connector(self.row, self.cleaned_data["reason"], by=self.by.party, now=now)


class CodeForm(IntentForm):
    """The code stands on the answer to this form alone."""

    submit = "Make a code"
    done = (
        "This is the code. It lets one agent in, within 15 minutes, and is shown this once. "
        "Whoever has it can offer an agent, which you then confirm or revoke."
    )
    intro = "Have the agent installed first: the code is valid for 15 minutes and for one agent."

    def save(self, now: datetime) -> Connector:
        self._code = make_code(self.row, self.by.party, now)
        row: Connector = self.row
        return row

    def shown_once(self) -> tuple[str, str]:
        return "Code", self._code

    def shown_below(self) -> Sequence[tuple[str, str]]:
        product, kind = settings.SSPR_BASE_URL, self.row.kind
        config = f'product = "{product}"\n\n[directory]\nkind = "{kind}"'
        return [
            (f"On its computer, {CONFIG} has to say, beside what the directory needs:", config),
            ("Enrol the agent there; it asks for the code:", "sspr-agent enrol"),
            (
                "It shows six words. Open it under Agents here, compare the words and confirm it.",
                "",
            ),
            ("Start it, if it does not run as a service:", "sspr-agent run"),
        ]


class ConfirmForm(IntentForm):
    """Two words are typed from the agent's screen and stand nowhere here, so that nobody confirms
    an agent without having looked at it."""

    submit, done = "Confirm", "The agent is confirmed. Within a minute it says how it is."
    words = forms.CharField(
        label="First two words",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        help_text="As they stand on the agent's screen.",
    )

    def told_before(self) -> str:
        rest = " ".join(fingerprint(bytes(self.row.identity))[TYPED:])
        return (
            f"The agent shows six words on its screen, or with `sspr-agent status`. The last four "
            f"have to be: {rest}. If they are others, do not confirm: somebody else used the code. "
            f"If they are the same, type the first two. From then on the agent gets the passwords "
            f"that are set in {self.row.connector.name}."
        )

    def clean_words(self) -> str:
        typed = tuple(self.cleaned_data["words"].lower().split())
        if typed != fingerprint(bytes(self.row.identity))[:TYPED]:
            raise forms.ValidationError(OTHER_WORDS, code="other")
        return " ".join(typed)

    def save(self, now: datetime) -> Agent:
        try:
            return confirm(self.row.pk, self.by.party, now)
        except WrongState:
            raise refusal("", "state", NOT_POSSIBLE) from None


class RevokeForm(ReasonForm):
    submit, done = "Revoke", "The agent is revoked; its next call is refused."
    intro = (
        "The agent gets no job any more, and what it has in hand may be taken by another one. This "
        "can't be taken back: the same computer needs a new code. If it was the last agent of its "
        "directory, passwords can't be written there until another one is confirmed."
    )

    def save(self, now: datetime) -> Agent:
        try:
            return revoke(self.row.pk, self.by.party, now, self.cleaned_data["reason"])
        except WrongState:
            raise refusal("", "state", REVOKED_ALREADY) from None


def _number(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
