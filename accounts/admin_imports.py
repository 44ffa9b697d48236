"""Pre-enrolment on the administration site: upload, check, confirm, result.

A step carries nothing but the id of its run, which is looked up within the tenant (R-4, R-5).
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from import_export.admin import ImportMixin

from tenants.admin import ReadOnlyAdmin, tenant_site
from tenants.admin.base import as_words, row_url
from tenants.admin.permissions import Permission, may
from tenants.admin.trail import clock
from tenants.audit import Party

from .imports.brought import denied_to
from .imports.columns import COLUMNS
from .imports.formats import FORMATS, MAX_BYTES, FileRefused
from .imports.plan import Outcome, Step
from .imports.resource import EnrolmentResource, EnrolmentResult, Upload, sample
from .imports.runs import (
    ENROLMENT,
    MOST_ONLINE,
    SEALED,
    Declared,
    Importer,
    discard,
    find_earlier,
    is_open,
    summary_of,
)
from .imports.summary import SHOWN, Summary
from .models import ImportRun

MODES = ImportRun.Mode.choices
OUTCOMES: Sequence[tuple[Outcome, str, str]] = (
    (Outcome.PROBLEM, "Problems", "Rows that can't be imported"),
    (Outcome.NEW, "New", "People who get something they did not have"),
    (Outcome.CHANGE, "Changed", "People for whom something is replaced"),
    (Outcome.KEPT, "Kept", "People whose contacts are confirmed and stay as they are"),
    (Outcome.SAME, "The same", "People for whom nothing changes"),
)
STEPS = {
    Step.ADD: "new",
    Step.REPLACE: "replaced",
    Step.KEEP: "kept, because it is confirmed",
}
NOT_DONE = {
    "problems": "Nothing was imported: there are rows with problems.",
    "changed": "Nothing was imported: what is on file has changed since the check. "
    "Look at it again, then confirm.",
    "not_now": "Nothing was imported: this file was imported, discarded or removed before.",
}


class UploadForm(forms.Form):
    """The first step. The library hands over its formats and resources; ours are in the fields."""

    import_file = forms.FileField(label="CSV file", allow_empty_file=True)
    format = forms.ChoiceField(
        label="Format",
        choices=[
            ("auto", "Find out"),
            ("native", "Native"),
            ("entra", "Microsoft Entra (not read yet)"),
            ("adselfservice", "ADSelfService Plus (not read yet)"),
        ],
        initial=FORMATS[0],
    )
    mode = forms.ChoiceField(
        label="What to import",
        choices=MODES,
        widget=forms.RadioSelect,
        initial=ImportRun.Mode.ALL,
    )
    replace_confirmed = forms.BooleanField(label="Replace confirmed contacts, too", required=False)

    def __init__(self, formats: Any, resources: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)


class ConfirmForm(forms.Form):
    """The second step: which rows. Which file it is says the address."""

    mode = forms.ChoiceField(label="What to import", choices=MODES)


def importer_of(request: HttpRequest) -> Importer:
    user: Any = request.user
    party = Party("administrator", user.pk, user.user_id)
    denied = denied_to(lambda permission: may(user.roles, Permission(permission)))
    return Importer(party, user, may(user.roles, Permission.ADMINISTRATORS), denied)


@admin.register(ImportRun, site=tenant_site)
class ImportRunAdmin(ImportMixin, ReadOnlyAdmin):
    """Files that were imported, and the way to import one."""

    heading = "Imports"
    area, place = "People", 30
    ordering = ("-created_at", "-id")
    list_display = ("file_name", "time", "actor_label", "shown_state", "rows", "written")
    fields = ("file_name", "time", "actor_label", "shown_state", "mode", "replace_confirmed")
    resource_classes = (EnrolmentResource,)
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    import_export_change_list_template = "admin/imports/list.html"
    change_form_template = "admin/imports/run.html"
    import_template_name = "admin/imports/upload.html"

    @admin.display(description="Time")
    def time(self, run: ImportRun) -> str:
        return clock(run.created_at)

    @admin.display(description="State")
    def shown_state(self, run: ImportRun) -> str:
        return run.get_state_display()

    @admin.display(description="Rows")
    def rows(self, run: ImportRun) -> int:
        return int(run.counts.get("rows", 0))

    @admin.display(description="People changed")
    def written(self, run: ImportRun) -> int | None:
        if run.state != ImportRun.State.APPLIED:
            return None
        return int(run.counts.get("new", 0)) + int(run.counts.get("change", 0))

    def has_import_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return self.has_view_permission(request) and may(user.roles, Permission.PEOPLE)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Without what is sealed, which may be megabytes a row."""
        return super().get_queryset(request).filter(format=ENROLMENT).defer(*SEALED)

    def get_urls(self) -> list[Any]:
        """The library's pages but the one whose step carries a file name."""
        inherited = [url for url in super().get_urls() if url.name != self._name("process_import")]
        wrap = self.admin_site.admin_view
        return [
            path("import/sample.csv", wrap(self.sample_view), name=self._name("sample")),
            path("<uuid:run>/confirm/", wrap(self.confirm_view), name=self._name("confirm")),
            path("<uuid:run>/discard/", wrap(self.discard_view), name=self._name("discard")),
            path("<uuid:run>/problems.csv", wrap(self.report_view), name=self._name("report")),
            *inherited,
        ]

    def _name(self, page: str) -> str:
        return f"accounts_importrun_{page}"

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form")
        given = form.cleaned_data if form is not None and form.is_bound else {}
        declared = Declared(
            format=given.get("format", FORMATS[0]),
            mode=given.get("mode", ImportRun.Mode.ALL.value),
            replace_confirmed=given.get("replace_confirmed", False),
        )
        return {"who": importer_of(request), "declared": declared, "now": timezone.now()}

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Upload and look: on success the next page is the run's own."""
        self._require(request)
        form = self.create_import_form(request)
        if request.method == "POST" and form.is_valid():
            sent = form.cleaned_data["import_file"]
            resource = EnrolmentResource(**self.get_import_resource_kwargs(request, form=form))
            try:
                upload = Upload(sent.name, sent.read())
                result = resource.import_data(upload, dry_run=True)
            except FileRefused as refused:
                form.add_error("import_file", str(refused))
            else:
                return HttpResponseRedirect(row_url(result.run))
        context = {
            **self.admin_site.each_context(request),
            "title": "Import a file",
            "heading": self.heading,
            "form": form,
            "error": form.is_bound,
            "columns": COLUMNS.values(),
            "most_bytes": MAX_BYTES // 1024**2,
            "most_rows": f"{MOST_ONLINE:,}",
        }
        return TemplateResponse(request, self.import_template_name, context)

    def get_import_form_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        posted = request.method == "POST"
        return {
            "data": request.POST if posted else None,
            "files": request.FILES if posted else None,
        }

    @method_decorator(require_POST)
    def confirm_view(self, request: HttpRequest, run: UUID) -> HttpResponse:
        self._require(request)
        form = self.create_confirm_form(request)
        if not form.is_valid():
            raise Http404
        try:
            result = self.process_dataset(run, form, request, file_name="")
        except ImportRun.DoesNotExist:
            raise Http404 from None
        return self.process_result(result, request)

    def process_result(self, result: EnrolmentResult, request: HttpRequest) -> HttpResponse:
        """Neither a log without a tenant nor a signal: the audit trail has it."""
        confirmed = result.confirmed
        if confirmed is None or confirmed.kind == "applied":
            messages.success(request, "The file was imported.")
        else:
            messages.error(request, " ".join([NOT_DONE[confirmed.kind], *confirmed.differs]))
        return HttpResponseRedirect(row_url(result.run))

    @method_decorator(require_POST)
    def discard_view(self, request: HttpRequest, run: UUID) -> HttpResponse:
        self._require(request)
        try:
            ended = discard(run, importer_of(request), timezone.now())
        except ImportRun.DoesNotExist:
            raise Http404 from None
        messages.success(request, "The file was discarded. Nothing was imported.")
        return HttpResponseRedirect(row_url(ended))

    def sample_view(self, request: HttpRequest) -> HttpResponse:
        self._require(request)
        resource = EnrolmentResource(**self.get_import_resource_kwargs(request))
        return _file("enrolment-sample.csv", sample(resource))

    def report_view(self, request: HttpRequest, run: UUID) -> HttpResponse:
        """The report holds contacts as they were typed, so it is for those who may import."""
        self._require(request)
        found = ImportRun.objects.filter(pk=run, format=ENROLMENT).first()
        kept = found.find("report") if found is not None else None
        if kept is None:
            raise Http404
        return _file("problems.csv", kept.reveal())

    def _require(self, request: HttpRequest) -> None:
        if not self.has_import_permission(request):
            raise PermissionDenied

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run: ImportRun = context["original"]
        now = timezone.now()
        may_import = self.has_import_permission(request)
        summary = summary_of(run) if may_import else None
        context.update(
            run=run,
            may_import=may_import,
            is_open=may_import and is_open(run, now),
            earlier=find_earlier(run) if is_open(run, now) else None,
            counts=[(label, run.counts.get(key, 0), says) for key, label, says in OUTCOMES],
            tables=tables_of(summary) if summary is not None else [],
            has_report=summary is not None and _has_report(run),
            to_write=run.counts.get("new", 0) + run.counts.get("change", 0),
            problems=run.counts.get("problem", 0),
            shown=SHOWN,
        )
        return super().render_change_form(request, context, *args, **kwargs)


def tables_of(summary: Summary) -> list[dict[str, Any]]:
    """One table an outcome: lines of row, person, column, before, after, what happens."""
    found = []
    for key, label, says in OUTCOMES:
        samples = summary.samples.get(key, [])
        if samples and key is not Outcome.SAME:
            lines = [line for each in samples for line in _lines(each)]
            is_problem = key is Outcome.PROBLEM
            found.append(
                {
                    "key": key.value,
                    "label": label,
                    "says": says,
                    "lines": lines,
                    "problem": is_problem,
                    "all": summary.counts[key],
                    "cut": summary.counts[key] > len(samples),
                }
            )
    return found


def _lines(each: dict[str, Any]) -> list[tuple[Any, ...]]:
    start = (each["number"], each["user_id"])
    problems = [
        (*start, as_words(one["column"]), one["shown"], one["message"], one["suggestion"])
        for one in each["problems"]
    ]
    changes = [
        (
            *start,
            as_words(one["column"]),
            one["before"],
            one["after"],
            STEPS[Step(one["step"])] + (" though confirmed" if _overrides(one) else ""),
        )
        for one in each["changes"]
    ]
    return problems + changes


def _overrides(change: dict[str, Any]) -> bool:
    return bool(change["was_confirmed"] and change["step"] == Step.REPLACE)


def _has_report(run: ImportRun) -> bool:
    counts = run.counts
    return bool(counts.get("problem") or counts.get("contacts_kept"))


def _file(name: str, content: bytes) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
