"""The wall of the administration (R-4): every table of the site is shown through these classes.

They read through the scoped manager only, filter and search only by what is listed, delete
nothing, and keep no log beside the audit trail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ShowFacets
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..context import find_current_tenant
from ..models import Tenant
from .permissions import Permission, may

if TYPE_CHECKING:
    # Generic in the stubs alone.
    AnyPaginator = Paginator[Any]
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyPaginator, AnyModelAdmin = Paginator, admin.ModelAdmin

MAX_SEARCH = 200
_NEVER_ROUTED = ("_history", "_delete")


@dataclass(frozen=True)
class Section:
    """A table below the fields of one row: texts or safe markup, one tuple a line."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str = "None."
    about: str = ""


class CappedPaginator(AnyPaginator):
    """Counts no further than the last page it offers; older rows are found by searching."""

    most = 5_000

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.most + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)

    @property
    def is_capped(self) -> bool:
        return self._counted > self.most


def choice_filter(
    heading: str, parameter: str, choices: Mapping[str, tuple[str, models.Q]]
) -> type[SimpleListFilter]:
    """A filter over fixed choices, value → (label, condition); any other value finds nothing."""

    class ChoiceFilter(SimpleListFilter):
        title = heading
        parameter_name = parameter

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, label) for value, (label, _) in choices.items()]

        def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
            value = self.value()
            if value is None:
                return queryset
            return queryset.filter(choices[value][1]) if value in choices else queryset.none()

    return ChoiceFilter


def field_choices(field: str, labels: Mapping[str, str]) -> dict[str, tuple[str, models.Q]]:
    """Choices for `choice_filter` that compare one column with each of these values."""
    return {value: (label, models.Q(**{field: value})) for value, label in labels.items()}


class TenantModelAdmin(AnyModelAdmin):
    """Base of every table on the site. `heading`, `area` and `place` say what it is called and
    where it stands in the navigation, `note` is a sentence above its list; `search_rows` says how
    rows are found, by an index. `sees` is what looking at it takes. `also_listed` are filtered
    lists with an entry of their own: name, place and query."""

    heading: ClassVar[str] = ""
    note: ClassVar[str] = ""
    also_listed: ClassVar[Sequence[tuple[str, int, str]]] = ()
    sees: ClassVar[Permission] = Permission.SEE
    area: ClassVar[str] = "Organisation"
    place: ClassVar[int] = 50
    actions: Any = None
    list_per_page = 50
    list_max_show_all = 0
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    preserve_filters = False
    sortable_by = ()
    view_on_site = False
    change_list_template = "admin/list.html"

    @property
    def media(self) -> Media:
        """No scripts: nothing of ours needs Django's."""
        return Media()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = self.model._default_manager.get_queryset()
        return rows.order_by(*self.get_ordering(request))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The row of the tenant in force; another tenant's is as unknown as a random one."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def action_checkbox(self, obj: Any) -> SafeString:
        """Django's checkbox of a row; its own renders a template for each."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            f"Select {obj}",
        )

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if "\x00" in text or len(text) > MAX_SEARCH:
            return queryset.none(), False
        return self.search_rows(queryset, text), False

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        """The rows that `text` finds; a table that isn't searched has none."""
        return queryset.none()

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Only what a listed filter reads; anything else would let values be guessed."""
        filters: Sequence[Any] = self.get_list_filter(request)
        return lookup in {getattr(each, "parameter_name", None) for each in filters}

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices_of(db_field)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices_of(db_field)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @staticmethod
    def _choices_of(db_field: Any) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = db_field.remote_field.model._default_manager.get_queryset()
        return rows

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        roles: Any = getattr(request.user, "roles", ())
        return super().has_view_permission(request, obj) and _is_own(obj) and may(roles, self.sees)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_own(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        urls = super().get_urls()
        return [url for url in urls if not str(url.name or "").endswith(_NEVER_ROUTED)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        self._refuse_strangers(request)
        names = {"title": self.heading, "heading": self.heading, "note": self.note}
        return super().changelist_view(request, {**names, **(extra_context or {})})

    def _refuse_strangers(self, request: HttpRequest) -> None:
        """An action on rows that are not there for this tenant is denied whole, and recorded."""
        chosen = set(request.POST.getlist(ACTION_CHECKBOX_NAME))
        try:
            own = self.get_queryset(request).filter(pk__in=chosen).count() if chosen else 0
        except ValidationError:
            raise PermissionDenied from None
        if own != len(chosen) or (chosen and not self.get_actions(request)):
            raise PermissionDenied

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise Http404

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's log has no tenant; the audit trail is the only one."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Like `log_addition`."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Like `log_addition`."""


def _is_own(obj: Any) -> bool:
    if obj is None:
        return True
    owner = obj.pk if isinstance(obj, Tenant) else obj.tenant_id
    return bool(owner == find_current_tenant())


class ReadOnlyAdmin(TenantModelAdmin):
    """Shows a table and each of its rows; `sections` adds what hangs on a row."""

    change_form_template = "admin/detail.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [str(name) for name in self.fields or ()]

    def sections(self, obj: Any) -> Sequence[Section]:
        return ()

    def title_of(self, row: Any) -> str:
        return str(row)

    def told_of(self, row: Any) -> str:
        """A sentence above the facts: what an administrator has to know of this row now."""
        return ""

    def list_url(self) -> str:
        """Where the row's list is; empty where there is none."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context["original"]
        context.update(
            title=self.title_of(row),
            subtitle=None,
            heading=self.heading,
            list_url=self.list_url(),
            told=self.told_of(row),
            sections=self.sections(row),
        )
        return super().render_change_form(request, context, *args, **kwargs)


class SingleRowAdmin(ReadOnlyAdmin):
    """A table of which a tenant has at most one row: its list is that row, and while there is none
    the form that makes it, for whoever may."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        self._refuse_strangers(request)
        row = self.get_queryset(request).first()
        if row is None and self.has_add_permission(request):
            options = self.model._meta
            return HttpResponseRedirect(
                reverse(f"admin:{options.app_label}_{options.model_name}_add")
            )
        if row is None or not self.has_view_permission(request, row):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(row_url(row))

    def title_of(self, row: Any) -> str:
        return self.heading

    def list_url(self) -> str:
        return ""


def row_url(row: models.Model) -> str:
    """The page of a row on this site."""
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def row_link(row: models.Model, text: object) -> str:
    return format_html('<a href="{}">{}</a>', row_url(row), text)


def as_words(value: object) -> str:
    """A key of ours as people read it: `mobile_phone` → `Mobile phone`."""
    text = str(value).replace("_", " ")
    return text[:1].upper() + text[1:]


def as_list(values: Sequence[object]) -> str:
    return ", ".join(as_words(value) for value in values) or "–"
