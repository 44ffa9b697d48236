"""Forms of the administration site: plain forms, whose rules are those of the services."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from ..audit import LABEL_LENGTH, Party
from ..invalid import Invalid
from ..models import Group
from .permissions import Permission, may, may_touch

NO_GROUP = "There is no group of this name."


@dataclass(frozen=True)
class Administrator:
    """Who is at work on the site. session: a hash of the key of the session they are in."""

    id: UUID
    user_id: str
    roles: tuple[str, ...]
    session: bytes = field(default=b"", repr=False)

    @staticmethod
    def of(request: HttpRequest) -> "Administrator":
        user: Any = request.user
        key = getattr(getattr(request, "session", None), "session_key", None) or ""
        session = hashlib.sha256(key.encode()).digest()
        return Administrator(user.pk, user.user_id, tuple(user.roles), session)

    @property
    def party(self) -> Party:
        return Party("administrator", self.id, self.user_id)

    def may(self, permission: Permission) -> bool:
        return may(self.roles, permission)

    def may_touch(self, permission: Permission, row: Any) -> bool:
        """Whether the row may be changed; only people have roles, which protect them."""
        return may_touch(self.roles, permission, getattr(row, "roles", ()) or ())


class IntentForm(forms.Form):
    """What one intent asks. `row` is what it is about, nothing for something new.

    fieldsets: heading, names of fields and a sentence below the heading. intro: what will happen,
    in words. submit: the word on the button.
    """

    fieldsets: ClassVar[Sequence[tuple[str, Sequence[str], str]]] = ()
    intro: ClassVar[str] = ""
    submit: ClassVar[str] = "Save"
    done: ClassVar[str] = "Saved."

    def __init__(self, *args: Any, row: Any, by: Administrator, **kwargs: Any) -> None:
        self.row, self.by = row, by
        super().__init__(*args, **kwargs)

    def save(self, now: datetime) -> Any:
        """Calls the service; returns the row to go on with, nothing when there is none any more.

        Raises Invalid.
        """
        raise NotImplementedError

    def shown_once(self) -> tuple[str, str] | None:
        """Name and text of a secret that `save` made. It stands on the answer itself and nowhere
        else, so that no page can show it again."""
        return None

    def shown_below(self) -> Sequence[tuple[str, str]]:
        """(what to do, text to type or copy) of what is done with the secret, in order."""
        return ()

    def refuse(self, refused: Invalid) -> None:
        """Tells each problem at its field."""
        for problem in refused.problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.fix)

    def told_before(self) -> str:
        """A sentence above the fields."""
        return self.intro

    def warnings(self) -> list[str]:
        """What should be known before saving and keeps nothing from being saved."""
        return []

    def parts(self) -> list[dict[str, Any]]:
        """The fieldsets as the template reads them."""
        named = self.fieldsets or (("", tuple(self.fields), ""),)
        return [
            {
                "title": title,
                "about": about,
                "fields": [self[name] for name in names if name in self.fields],
            }
            for title, names, about in named
        ]


class ReasonForm(IntentForm):
    """Asks for the reason, which goes into the audit trail."""

    reason = forms.CharField(
        label="Reason",
        max_length=LABEL_LENGTH,
        help_text="Stands in the audit trail. Write no secrets.",
    )


class LinesField(forms.CharField):
    """Texts, one a line; empty lines do not count."""

    widget = forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return list(value)
        lines = (super().to_python(value) or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def run_validators(self, value: Any) -> None:
        """The services look at each line."""


class SuggestingInput(forms.TextInput):
    """A text field; a script offers what the site's own search finds. Works without it too."""

    def __init__(self, app: str, model: str, field: str) -> None:
        self.source = {"app_label": app, "model_name": model, "field_name": field}
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": "256"})

    def get_context(self, name: str, value: Any, attrs: Any) -> Any:
        query = "&".join(f"{key}={text}" for key, text in self.source.items())
        url = f"{reverse('admin:autocomplete')}?{query}"
        return super().get_context(name, value, {**(attrs or {}), "data-suggest": url})


class GroupField(forms.CharField):
    """A group of the tenant in force, by its name."""

    widget = SuggestingInput("tenants", "resetpolicy", "group")

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = Group.objects.filter(name=text).first() if "\x00" not in text else None
        if found is None:
            raise ValidationError(NO_GROUP, code="unknown")
        return found
