"""Applications and identity providers on the administration site. Secrets go in, or are shown once
when they are made; none is ever shown again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.urls import reverse

from tenants.admin import Section, tenant_site
from tenants.admin.forms import IntentForm, LinesField, ReasonForm
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.permissions import Permission
from tenants.admin.trail import clock
from tenants.secret import Secret

from .federation.providers import (
    ProviderSettings,
    change_provider,
    create_provider,
    remove_provider,
)
from .models import Application, Credential, IdentityProvider
from .oidc.applications import (
    ApplicationSettings,
    change_application,
    create_application,
    remove_application,
    replace_secret,
)

_REDIRECTS = "One a line, letter by letter as the application sends it. https, no wildcards."


class ApplicationForm(IntentForm):
    """What is set about an application."""

    done = "The application is saved."
    name = forms.CharField(label="Name", max_length=100, help_text="People see it.")
    redirect_uris = LinesField(label="Redirect addresses", help_text=_REDIRECTS)
    logout_uris = LinesField(
        label="Addresses after signing out", required=False, help_text="One a line."
    )
    first_party = forms.BooleanField(
        label="Of this organisation",
        required=False,
        help_text="People are not asked whether they agree to what it gets to know.",
    )
    is_enabled = forms.BooleanField(label="Enabled", required=False, initial=True)

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        if row is not None:
            for name in ("name", "redirect_uris", "logout_uris", "first_party", "is_enabled"):
                self.fields[name].initial = getattr(row, name)

    @property
    def settings(self) -> ApplicationSettings:
        data = self.cleaned_data
        return ApplicationSettings(
            name=data["name"],
            redirect_uris=data["redirect_uris"],
            logout_uris=data["logout_uris"],
            first_party=data["first_party"],
            is_enabled=data["is_enabled"],
        )

    def save(self, now: datetime) -> Any:
        change_application(self.row, self.settings, by=self.by.party, now=now)
        return self.row


class NewApplicationForm(ApplicationForm):
    submit = "Add application"
    done = "The application is added. Copy its secret now; it is not shown again."
    public = forms.BooleanField(
        label="Public",
        required=False,
        help_text="It can keep no secret, such as an app on a phone. It has to use PKCE.",
    )
    _secret: Secret[str] | None = None

    def save(self, now: datetime) -> Any:
        public = self.cleaned_data["public"]
        row, self._secret = create_application(
            self.settings, public=public, by=self.by.party, now=now
        )
        return row

    def shown_once(self) -> tuple[str, str] | None:
        return ("Secret", self._secret.reveal()) if self._secret is not None else None


class ReplaceSecretForm(IntentForm):
    intro = "The present secret stops working at once."
    submit = "Make a new secret"
    done = "This is the new secret. Copy it now; it is not shown again."
    _secret: Secret[str] | None = None

    def save(self, now: datetime) -> Any:
        self._secret = replace_secret(self.row, by=self.by.party, now=now)
        return self.row

    def shown_once(self) -> tuple[str, str] | None:
        return ("Secret", self._secret.reveal()) if self._secret is not None else None


class RemoveApplicationForm(IntentForm):
    intro = "Nobody can sign in to it any more, and everything it was given ends."
    submit, done = "Remove application", "The application is removed."

    def save(self, now: datetime) -> None:
        remove_application(self.row, by=self.by.party, now=now)


def _is_confidential(row: Application) -> bool:
    return not row.is_public


@admin.register(Application, site=tenant_site)
class ApplicationAdmin(EditableAdmin):
    """Applications people sign in to with their account here."""

    heading = "Applications"
    area, place = "Organisation", 60
    note = "Applications that let people sign in with their account here (OpenID Connect)."
    list_display = ("name", "client_id", "kind", "is_enabled")
    ordering = ("name",)
    fields = ("name", "client_id", "kind", "redirect_uris", "logout_uris", "is_enabled")
    adder = Intent("add", "Add an application", Permission.SETTINGS, NewApplicationForm)
    editor = Intent("change", "Application", Permission.SETTINGS, ApplicationForm)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.intents += [
            Intent(
                "secret",
                "Make a new secret",
                Permission.SETTINGS,
                ReplaceSecretForm,
                _is_confidential,
            ),
            Intent("remove", "Remove application", Permission.SETTINGS, RemoveApplicationForm),
        ]

    @admin.display(description="Kind")
    def kind(self, row: Application) -> str:
        return "public" if row.is_public else "confidential"

    def facts(self, row: Application) -> Sequence[tuple[str, Any]]:
        made = clock(row.secret_changed_at) if row.secret_changed_at is not None else "–"
        return [
            ("Client ID", row.client_id),
            ("Kind", self.kind(row)),
            ("Secret made", made),
            ("Added", f"{clock(row.created_at)}, {row.created_by}"),
        ]


class ProviderForm(IntentForm):
    """What is set about a provider."""

    done = "The provider is saved."
    slug = forms.CharField(
        label="Short name",
        max_length=40,
        help_text="Stands in addresses: small letters, digits, dashes.",
    )
    name = forms.CharField(label="Name", max_length=64, help_text="People see it.")
    issuer = forms.CharField(
        label="Issuer",
        max_length=500,
        help_text="As the provider names it, such as https://login.partner.example.",
    )
    client_id = forms.CharField(label="Client ID", max_length=255)
    secret = forms.CharField(
        label="Client secret",
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Empty: stays as it is. It is never shown.",
    )
    signs_in = forms.BooleanField(label="People may sign in with it", required=False)
    proves = forms.BooleanField(
        label="It proves who somebody is at a reset",
        required=False,
        help_text="People sign in there anew; the provider has to say when (auth_time).",
    )
    is_enabled = forms.BooleanField(label="Enabled", required=False, initial=True)

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        if row is not None:
            for name in self.fields:
                if name != "secret":
                    self.fields[name].initial = getattr(row, name)

    @property
    def settings(self) -> ProviderSettings:
        data = {name: value for name, value in self.cleaned_data.items() if name != "secret"}
        return ProviderSettings(**data)

    @property
    def typed_secret(self) -> Secret[str] | None:
        text = self.cleaned_data["secret"]
        return Secret(text) if text else None

    def save(self, now: datetime) -> Any:
        change_provider(self.row, self.settings, self.typed_secret, by=self.by.party, now=now)
        return self.row


class NewProviderForm(ProviderForm):
    submit, done = "Add provider", "The provider is added."

    def save(self, now: datetime) -> Any:
        return create_provider(self.settings, self.typed_secret, by=self.by.party, now=now)


class RemoveProviderForm(ReasonForm):
    intro = "Every account of people at this provider is disconnected with it."
    submit, done = "Remove provider", "The provider is removed."

    def save(self, now: datetime) -> None:
        remove_provider(self.row, by=self.by.party, now=now, reason=self.cleaned_data["reason"])


@admin.register(IdentityProvider, site=tenant_site)
class IdentityProviderAdmin(EditableAdmin):
    """Other services whose word about people counts here."""

    heading = "Identity providers"
    area, place = "Organisation", 62
    note = "Services where people sign in to sign in here, or to prove who they are."
    list_display = ("name", "issuer", "signs_in", "proves", "is_enabled")
    ordering = ("name",)
    fields = ("slug", "name", "issuer", "client_id", "signs_in", "proves", "is_enabled")
    adder = Intent("add", "Add a provider", Permission.SETTINGS, NewProviderForm)
    editor = Intent("change", "Identity provider", Permission.SETTINGS, ProviderForm)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.intents.append(
            Intent("remove", "Remove provider", Permission.SETTINGS, RemoveProviderForm)
        )

    def sections(self, obj: IdentityProvider) -> Sequence[Section]:
        callback = reverse("federation:callback", args=[obj.slug])
        connected = Credential.objects.filter(method="external_identity", site=obj.pk.hex).count()
        rows = [
            ("Redirect address to register there", f"the web address of this site + {callback}"),
            ("Accounts connected", connected),
        ]
        return [Section("At the provider", ("What", "Value"), rows)]
