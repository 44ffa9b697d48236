"""What can be done on the site: each intent is one form on one page, and one service behind it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from ..invalid import Invalid
from .base import ReadOnlyAdmin, Section, row_url
from .forms import Administrator, IntentForm
from .permissions import Permission


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True)
class Intent:
    """One thing to do with a row. `offered` says for which rows it makes sense."""

    key: str
    label: str
    permission: Permission
    form: type[IntentForm]
    offered: Callable[[Any], bool] = _always

    def is_open_to(self, by: Administrator, row: Any) -> bool:
        return by.may_touch(self.permission, row)


@dataclass(frozen=True)
class RowPage:
    """A page about a row that only tells. `view` gets request, row and the page's own context."""

    key: str
    label: str
    view: Callable[[HttpRequest, Any, dict[str, Any]], HttpResponse]


class EditableAdmin(ReadOnlyAdmin):
    """A table whose rows can be changed by those who may.

    adder makes a row, editor stands on the row's own page, intents have pages of their own; list
    intents are about the table as a whole. Apps above add intents, pages and sections to these
    lists. Whoever may do none of it sees what ReadOnlyAdmin shows.
    """

    change_form_template = "admin/editable_detail.html"
    change_list_template = "admin/editable_list.html"
    adder: ClassVar[Intent | None] = None
    editor: ClassVar[Intent | None] = None

    def __init__(self, *args: Any) -> None:
        self.intents: list[Intent] = []
        self.list_intents: list[Intent] = []
        self.pages: list[RowPage] = []
        self.more_sections: list[Callable[[Any], Sequence[Section]]] = []
        super().__init__(*args)

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        own = []
        for intent in self.intents:
            view = self.admin_site.admin_view(self._row_view(intent))
            own.append(path(f"<uuid:pk>/{intent.key}/", view, name=f"{name}_{intent.key}"))
        for intent in self.list_intents:
            view = self.admin_site.admin_view(self._list_view(intent))
            own.append(path(f"{intent.key}/", view, name=f"{name}_{intent.key}"))
        for page in self.pages:
            view = self.admin_site.admin_view(self._page_view(page))
            own.append(path(f"<uuid:pk>/{page.key}/", view, name=f"{name}_{page.key}"))
        return own + super().get_urls()

    def _row_view(self, intent: Intent) -> Any:
        def view(request: HttpRequest, pk: UUID) -> HttpResponse:
            row = self.get_object(request, str(pk))
            if not intent.is_open_to(Administrator.of(request), row):
                raise PermissionDenied
            if not intent.offered(row):
                raise Http404
            return self._worked(request, intent, row)

        return view

    def _list_view(self, intent: Intent) -> Any:
        def view(request: HttpRequest) -> HttpResponse:
            if not Administrator.of(request).may(intent.permission):
                raise PermissionDenied
            return self._worked(request, intent, None)

        return view

    def _page_view(self, page: RowPage) -> Any:
        def view(request: HttpRequest, pk: UUID) -> HttpResponse:
            row = self.get_object(request, str(pk))
            if not self.has_view_permission(request, row):
                raise PermissionDenied
            return page.view(request, row, self._page_context(request, row, page.label))

        return view

    def has_add_permission(self, request: HttpRequest) -> bool:
        by = Administrator.of(request)
        return self.adder is not None and by.may(self.adder.permission)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        editor = self.editor
        return (
            editor is not None
            and super().has_view_permission(request, obj)
            and editor.is_open_to(Administrator.of(request), obj)
            and (obj is None or editor.offered(obj))
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if object_id is None:
            if self.adder is None or not self.has_add_permission(request):
                raise PermissionDenied
            return self._worked(request, self.adder, None)
        row = self.get_object(request, object_id)
        if self.editor is not None and self.has_change_permission(request, row):
            return self._worked(request, self.editor, row)
        if request.method == "POST":
            raise PermissionDenied
        more = {"tools": self.tools_of(request, row), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, more)

    def _worked(self, request: HttpRequest, intent: Intent, row: Any) -> HttpResponse:
        by = Administrator.of(request)
        sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        form = intent.form(*sent, row=row, by=by)
        if form.is_bound and form.is_valid():
            try:
                with transaction.atomic():
                    goal = form.save(timezone.now())
            except Invalid as refused:
                form.refuse(refused)
            else:
                for warning in form.warnings():
                    messages.warning(request, warning)
                shown = form.shown_once()
                if shown is not None:
                    context = self._page_context(request, row, intent.label)
                    context.update(shown=shown, sentence=form.done, below=form.shown_below())
                    return TemplateResponse(request, "admin/shown_once.html", context)
                messages.success(request, form.done)
                return HttpResponseRedirect(row_url(goal) if goal is not None else self.home_url())
        context = self._page_context(request, row, intent.label)
        context.update(form=form, error=bool(form.errors))
        if row is not None and intent is self.editor:
            context["sections"] = self.sections(row)
            context["facts"] = list(self.facts(row))
        return TemplateResponse(request, "admin/intent.html", context)

    def home_url(self) -> str:
        """Where to go when the row is gone, or something was done to the whole table."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _page_context(self, request: HttpRequest, row: Any, label: str) -> dict[str, Any]:
        is_own_page = row is None or (self.editor is not None and label == self.editor.label)
        return {
            **self.admin_site.each_context(request),
            "title": self.title_of(row) if is_own_page and row is not None else label,
            "row": row,
            "row_title": self.title_of(row) if row is not None else "",
            "row_url": row_url(row) if row is not None and not is_own_page else "",
            "heading": self.heading,
            "list_url": self.list_url(),
            "tools": self.tools_of(request, row) if row is not None else [],
            "opts": self.opts,
        }

    def tools_of(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        """(label, address) of what this administrator can do with the row."""
        by = Administrator.of(request)
        open_ones: Iterable[Intent] = (
            each for each in self.intents if each.is_open_to(by, row) and each.offered(row)
        )
        keys = [(each.label, each.key) for each in open_ones]
        keys += [(page.label, page.key) for page in self.pages]
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return [(label, reverse(f"{name}_{key}", args=[row.pk])) for label, key in keys]

    def list_tools_of(self, request: HttpRequest) -> list[tuple[str, str]]:
        """(label, address) of what can be done with the table."""
        by = Administrator.of(request)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        found = []
        if self.adder is not None and self.has_add_permission(request):
            found.append((self.adder.label, reverse(f"{name}_add")))
        return found + [
            (each.label, reverse(f"{name}_{each.key}"))
            for each in self.list_intents
            if by.may(each.permission)
        ]

    def facts(self, row: Any) -> Sequence[tuple[str, Any]]:
        """(name, value) of what stands beside the fields of the editor and can't be edited."""
        return ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        more = {"list_tools": self.list_tools_of(request), **(extra_context or {})}
        return super().changelist_view(request, more)
