"""What the administration sites have registered, and how it is asked: queries, forms, actions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django import forms
from django.db import models
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from tests.isolation.addresses import sites
from tests.isolation.answers import text_of
from tests.isolation.crawl import Reader

SORTINGS = ("1", "-1", "1.-2", "0", "999", "-", "password")
PLAIN = ("_popup=1", "_to_field=id", "_popup=1&_to_field=tenant", "all=", "p=1", "p=9999", "e=1")


class Rows(Protocol):
    """Two tenants with the ids of their rows by model."""

    @property
    def own(self) -> dict[type[models.Model], list[UUID]]: ...

    @property
    def theirs(self) -> dict[type[models.Model], list[UUID]]: ...

    @property
    def acme(self) -> Any: ...


@dataclass(frozen=True)
class Table:
    """One registered table of a site."""

    model_admin: Any

    @property
    def model(self) -> type[models.Model]:
        found: type[models.Model] = self.model_admin.model
        return found

    @property
    def label(self) -> str:
        return f"{self.model_admin.admin_site.name}:{self.model._meta.label_lower}"

    def find_url(self, page: str, *args: Any) -> str | None:
        """`changelist`, `add`, `change` …; nothing where the site has no such page."""
        options, site = self.model._meta, self.model_admin.admin_site.name
        try:
            return reverse(f"{site}:{options.app_label}_{options.model_name}_{page}", args=args)
        except NoReverseMatch:
            return None

    @property
    def list_url(self) -> str:
        url = self.find_url("changelist")
        assert url is not None
        return url


def tables() -> list[Table]:
    """Every table on every site that has addresses."""
    # Django offers no public way to go over what is registered.
    return [Table(each) for site in sites() for each in site._registry.values()]


def request_of(user: User, scene: Rows, path: str = "/admin/") -> Any:
    """A request as the middleware leaves it."""
    request: Any = RequestFactory().get(path, headers={"host": scene.acme.host})
    request.user, request.host_tenant = user, scene.acme.id
    return request


def columns(model: type[models.Model]) -> list[Any]:
    return [each for each in model._meta.get_fields() if not each.auto_created or each.concrete]


def relations(model: type[models.Model]) -> list[Any]:
    """Foreign keys and many-to-many fields."""
    return [each for each in columns(model) if each.is_relation and each.name != "tenant"]


def lookups(model: type[models.Model]) -> Iterator[str]:
    """Ways to ask for a value of the row, or of a row it hangs on."""
    for each in columns(model):
        yield each.name
        yield f"{each.name}__isnull"
        if not each.is_relation:
            yield f"{each.name}__startswith"
            continue
        yield f"{each.name}__id__exact"
        for beyond in each.related_model._meta.local_fields:
            yield f"{each.name}__{beyond.name}__startswith"


def filter_parameters(table: Table, request: Any) -> list[str]:
    """The names in the address that the filters of the list read."""
    shown = table.model_admin.get_changelist_instance(request)
    return [name for spec in shown.filter_specs for name in spec.expected_parameters()]


def date_queries(table: Table) -> list[str]:
    field = table.model_admin.date_hierarchy
    return [f"{field}__{part}={value}" for part, value in DATES] if field else []


DATES = (("year", "2026"), ("year", "x"), ("month", "11"), ("day", "20"))


def forms_of(table: Table, request: Any, row: Any) -> Iterator[Any]:
    """Form classes an administrator could fill in: to add, to change, inside another."""
    own = table.model_admin
    if own.has_add_permission(request):
        yield own.get_form(request, None, change=False)
    if own.has_change_permission(request, row):
        yield own.get_form(request, row, change=True)
    for inline in own.get_inline_instances(request, row):
        yield inline.get_formset(request, row).form


def relation_fields(form: Any) -> dict[str, Any]:
    """The fields of a form class in which a row is chosen."""
    return {
        name: each
        for name, each in form.base_fields.items()
        if isinstance(each, forms.ModelChoiceField)
    }


def accepts(field: Any, pk: UUID) -> bool:
    """Whether a choice field takes this row."""
    many = isinstance(field, forms.ModelMultipleChoiceField)
    try:
        field.clean([str(pk)] if many else str(pk))
    except forms.ValidationError:
        return False
    return True


def ids_of_target(ids: dict[type[models.Model], list[UUID]], field: Any) -> list[UUID]:
    return ids.get(field.queryset.model, [])


def index_of(site: Any) -> str:
    return reverse(f"{site.name}:index")


def is_open(client: Any, site: Any) -> bool:
    return bool(client.get(index_of(site)).status_code == 200)


def own_tables(client: Any) -> list[Table]:
    """The tables of the sites that let acme's administrator in."""
    open_sites = [site for site in sites() if is_open(client, site)]
    return [each for each in tables() if each.model_admin.admin_site in open_sites]


def pages_of(table: Table, scene: Rows) -> list[str]:
    """Where rows of the table are added and changed."""
    found = [table.find_url("add")]
    found += [table.find_url("change", pk) for pk in scene.own.get(table.model, [])[:1]]
    return [each for each in found if each is not None]


def filled_in(client: Any, page: str) -> dict[str, list[str]]:
    """What the page's own form would send."""
    forms = [form for form in Reader(text_of(client.get(page))).forms if form.method == "post"]
    return {name: value for form in forms for name, value in form.values.items()}


def pointed_at(table: Table, scene: Rows) -> set[Any]:
    """Whatever acme's rows of the table point at."""
    keys = [each.attname for each in relations(table.model) if each.concrete and each.many_to_one]
    if not keys:
        return set()
    with scene.acme.inside():
        rows = table.model._default_manager.values_list(*keys)
        return {pk for row in rows for pk in row}
