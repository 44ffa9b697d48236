"""The inventory of tokens on the administration site: a file is checked, then applied; tokens are
handed out, taken back, brought into step. What is inside a token is shown to nobody."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from tenants.admin import choice_filter, tenant_site
from tenants.admin.forms import Administrator, IntentForm, ReasonForm
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.permissions import Permission
from tenants.admin.trail import clock
from tenants.invalid import refusal

from .admin_people import PersonField
from .inventory import METHODS, By, assign, discard, note_synchronised, serial_of, take_back
from .method_settings import APPROVER, CLIENT, KEY, URL, change_settings, find_settings
from .methods.base import typed_code
from .models import Credential, User, credential_lookup
from .token_files import COLUMNS, MAX_ROWS, SAMPLE, FileRefused
from .token_imports import apply_run, check, discard_run, find_run, planned_of
from .tokens import METHOD as TOKENS
from .tokens import find_token, synchronise

OUTCOMES = {
    "new": "new",
    "there": "in the inventory already, stays as it is",
    "problem": "left out",
}
SHOWN = 200
NOT_THESE = "These are not two codes of this token that follow each other."
OVER = "This file was applied, discarded or removed before."


class UploadForm(forms.Form):
    """The first step; nothing is changed by it."""

    import_file = forms.FileField(label="CSV file", allow_empty_file=True)


class TokenForm(ReasonForm):
    """Something done with one token, with a reason."""

    @property
    def doer(self) -> By:
        return By(self.by.party, self.cleaned_data["reason"])


class AssignForm(TokenForm):
    submit, done = "Assign", "The token is assigned, and the person was told."
    person = PersonField(label="Person", help_text="A user ID.")
    field_order = ("person", "reason")

    def save(self, now: datetime) -> Credential:
        person, row = self.cleaned_data["person"], self.row
        if not self.by.may_touch(Permission.TOKENS, person):
            raise refusal("person", "role", "This person holds a role; you may not change them.")
        assign(row, person, self.doer, now=now)
        return row  # type: ignore[no-any-return]  # rows of intents are untyped


class TakeBackForm(TokenForm):
    submit, done = "Take back", "The token is back, and the person was told."

    def save(self, now: datetime) -> Credential | None:
        row = Credential.objects.select_for_update(of=("self",)).select_related("user")
        found: Credential = row.get(pk=self.row.pk)
        if found.user is not None and not self.by.may_touch(Permission.TOKENS, found.user):
            raise refusal("", "role", "This person holds a role; you may not change them.")
        take_back(found, self.doer, now=now)
        return Credential.objects.filter(pk=found.pk).first()


class SynchroniseForm(TokenForm):
    submit, done = "Bring into step", "The token is in step."
    intro = "Have two codes read to you that the device shows one after the other."
    code_1 = forms.CharField(label="First code", max_length=16)
    code_2 = forms.CharField(label="Next code", max_length=16)
    field_order = ("code_1", "code_2", "reason")

    def save(self, now: datetime) -> Credential:
        row: Credential = Credential.objects.select_for_update().get(pk=self.row.pk)
        codes = (typed_code(self.cleaned_data[name]) for name in ("code_1", "code_2"))
        if not synchronise(row, *codes, now=now):
            raise refusal("code_1", "wrong", NOT_THESE)
        note_synchronised(row, self.doer, now=now)
        return row


class DiscardForm(TokenForm):
    submit, done = "Remove", "The token is removed from the inventory."
    intro = "Removes a token that nobody has, with what is inside it."

    def save(self, now: datetime) -> None:
        discard(self.row, self.doer, now=now)


class MethodSettingsForm(IntentForm):
    """Whom to ask, and who checks YubiKeys whose secret is not ours."""

    submit, done = "Save", "The settings are saved."
    approver = PersonField(
        label="Colleague who confirms",
        required=False,
        help_text="Asked for people whose manager can't be: none on file, disabled, no mailbox.",
    )
    validation_url = forms.CharField(
        label="Address of the validation server",
        required=False,
        max_length=200,
        help_text="Starts with https://. Empty: no YubiKey is checked elsewhere.",
    )
    validation_client = forms.CharField(label="Client ID", required=False, max_length=20)
    validation_key = forms.CharField(
        label="Client key",
        required=False,
        max_length=100,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="In base 64. Empty keeps the one on file; it is never shown.",
    )
    fieldsets = (
        ("Approval by a colleague", (APPROVER,), ""),
        ("YubiKeys", (URL, CLIENT, KEY), ""),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = find_settings()
        if row is not None:
            self.initial = {
                APPROVER: row.approver.user_id if row.approver is not None else "",
                URL: row.validation_url,
                CLIENT: row.validation_client,
            }

    def save(self, now: datetime) -> None:
        change_settings(self.cleaned_data, by=self.by.party, now=now)


def _is_spare(row: Credential) -> bool:
    return row.user_id is None


def _is_owned(row: Credential) -> bool:
    return row.user_id is not None


def _has_steps(row: Credential) -> bool:
    return bool(row.method == TOKENS)


@admin.register(Credential, site=tenant_site)
class TokenAdmin(EditableAdmin):
    """Code generators and YubiKeys of the organisation. Other credentials are their owners'."""

    heading = "Tokens"
    area, place = "People", 40
    ordering = ("method", "name", "id")
    search_fields = ("name",)
    search_help_text = "The whole number of a token, or the public ID of a YubiKey."
    list_display = ("name", "kind", "owner", "since", "used")
    list_filter = (
        choice_filter(
            "kind",
            "kind",
            {method: (name, models.Q(method=method)) for method, name in METHODS.items()},
        ),
        choice_filter(
            "owner",
            "owner",
            {
                "none": ("Nobody's", models.Q(user=None)),
                "some": ("Somebody's", ~models.Q(user=None)),
            },
        ),
    )
    fields = ("name", "kind", "shape", "owner", "since", "used", "added")
    list_select_related = ("user",)
    import_template = "admin/tokens/upload.html"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        tokens = Permission.TOKENS
        self.intents += [
            Intent("assign", "Assign", tokens, AssignForm, _is_spare),
            Intent("take-back", "Take back", tokens, TakeBackForm, _is_owned),
            Intent("synchronise", "Bring into step", tokens, SynchroniseForm, _has_steps),
            Intent("discard", "Remove", tokens, DiscardForm, _is_spare),
        ]
        self.list_intents += [
            Intent("settings", "Approver and YubiKey server", Permission.POLICY, MethodSettingsForm)
        ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request).filter(method__in=METHODS).select_related("user")
        return rows.defer("sealed")

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        forms_of_it = {method: serial_of(text) for method in METHODS}
        forms_of_it = {**forms_of_it, "yubikey_otp": text.lower()}
        found = [credential_lookup(method, value) for method, value in forms_of_it.items()]
        return queryset.filter(lookup__in=found)

    @admin.display(description="Kind")
    def kind(self, row: Credential) -> str:
        return METHODS[row.method]

    @admin.display(description="Codes")
    def shape(self, row: Credential) -> str:
        token = find_token(row) if row.method == TOKENS else None
        if token is None:
            return "–"
        beat = f"every {token.period} seconds" if token.period else "by events"
        return f"{token.digits} digits, {beat}, {token.algorithm.upper()}"

    @admin.display(description="Owner")
    def owner(self, row: Credential) -> str:
        return row.user.user_id if row.user is not None else "–"

    @admin.display(description="Assigned")
    def since(self, row: Credential) -> str:
        return clock(row.confirmed_at) if row.confirmed_at else "–"

    @admin.display(description="Last used")
    def used(self, row: Credential) -> str:
        return clock(row.used_at) if row.used_at else "–"

    @admin.display(description="Added")
    def added(self, row: Credential) -> str:
        return clock(row.created_at)

    def list_tools_of(self, request: HttpRequest) -> list[tuple[str, str]]:
        tools = super().list_tools_of(request)
        if self._may_upload(request):
            tools.insert(0, ("Add tokens from a file", reverse("admin:accounts_credential_upload")))
        return tools

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        name = "accounts_credential_"
        return [
            path("upload/", wrap(self.upload_view), name=f"{name}upload"),
            path("upload/sample.csv", wrap(self.sample_view), name=f"{name}sample"),
            path("upload/<uuid:run>/", wrap(self.run_view), name=f"{name}run"),
            *super().get_urls(),
        ]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Checks a file; on success the next page shows what it comes to."""
        self._require(request)
        posted = request.method == "POST"
        form = UploadForm(request.POST if posted else None, request.FILES if posted else None)
        if posted and form.is_valid():
            sent, user = form.cleaned_data["import_file"], request.user
            actor = user if isinstance(user, User) else None
            by = Administrator.of(request).party
            try:
                run = check(sent.read(), sent.name, by=by, actor=actor, now=timezone.now())
            except FileRefused as refused:
                form.add_error("import_file", str(refused))
            else:
                return HttpResponseRedirect(reverse("admin:accounts_credential_run", args=[run.pk]))
        context = {
            **self._tokens_context(request, "Add tokens from a file"),
            "form": form,
            "error": form.is_bound,
            "columns": COLUMNS.items(),
            "most_rows": f"{MAX_ROWS:,}",
        }
        return TemplateResponse(request, self.import_template, context)

    def run_view(self, request: HttpRequest, run: UUID) -> HttpResponse:
        """What a file comes to, without what is inside the tokens; two buttons."""
        self._require(request)
        found, now = find_run(run), timezone.now()
        if found is None:
            raise Http404
        if request.method == "POST":
            return self._settled(request, run, now)
        planned = planned_of(found, now)
        context = {
            **self._tokens_context(request, "What the file comes to"),
            "run": found,
            "counts": found.counts,
            "is_open": planned is not None,
            "lines": [
                (each.row.number, each.row.name or "–", each.row.kind, _told(each))
                for each in sorted(planned or (), key=lambda each: each.outcome != "problem")
            ][:SHOWN],
            "shown": SHOWN,
        }
        return TemplateResponse(request, "admin/tokens/run.html", context)

    def _settled(self, request: HttpRequest, run: UUID, now: datetime) -> HttpResponse:
        by = Administrator.of(request).party
        if request.POST.get("decision") == "apply":
            added = apply_run(run, by=by, now=now)
            if added is None:
                messages.error(request, OVER)
            else:
                messages.success(request, f"Tokens added: {added}.")
        elif discard_run(run, by=by, now=now):
            messages.success(request, "The file was discarded. Nothing was added.")
        else:
            messages.error(request, OVER)
        return HttpResponseRedirect(self.home_url())

    def sample_view(self, request: HttpRequest) -> HttpResponse:
        self._require(request)
        headers = {"Content-Disposition": 'attachment; filename="tokens-sample.csv"'}
        return HttpResponse(SAMPLE, content_type="text/csv; charset=utf-8", headers=headers)

    def _tokens_context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "heading": self.heading,
            "list_url": self.list_url(),
        }

    def _may_upload(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and Administrator.of(request).may(
            Permission.TOKENS
        )

    def _require(self, request: HttpRequest) -> None:
        if not self._may_upload(request):
            raise PermissionDenied


def _told(each: Any) -> str:
    return each.row.problem or OUTCOMES[each.outcome]
