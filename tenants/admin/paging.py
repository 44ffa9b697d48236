"""Pages of long lists without counting and without skipping: each begins beside a row.

A page is asked for by the place of a row (`?after=…`, `?before=…`), so the last page of ten million
rows costs what the first does, and rows that arrive meanwhile move nothing (performance, P19–P21).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest
from django.db import models
from django.db.models import Func, Q, Value
from django.http import HttpRequest

from .base import MAX_SEARCH, TenantModelAdmin

AFTER, BEFORE, END = "after", "before", "end"
_BETWEEN = "~"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_TEXT = 400


class BadPlace(BadRequest):
    """A place in the address that no link of ours leads to; the answer is 400."""


@dataclass(frozen=True)
class Order:
    """By which columns a list is in order, all the same way; together they are unique."""

    columns: tuple[str, ...]
    descending: bool = False

    def by(self, *, backwards: bool) -> list[str]:
        sign = "-" if self.descending != backwards else ""
        return [sign + column for column in self.columns]

    def key(self, row: Any) -> tuple[Any, ...]:
        return tuple(getattr(row, column) for column in self.columns)


@dataclass(frozen=True)
class Place:
    """Which page: the rows next to the row with this key; without one, from an end of the list."""

    key: tuple[Any, ...] | None = None
    backwards: bool = False


FIRST = Place()


@dataclass(frozen=True)
class Page:
    """Rows in the order of the list, and what lies beside them. `note` is a sentence about them."""

    rows: Sequence[Any]
    has_before: bool = False
    has_after: bool = False
    note: str = ""


class Beside(Func):
    """`(a, b) < (x, y)`: one condition that an index in that order serves on both databases."""

    output_field: Any = models.BooleanField()
    conditional = True

    def __init__(self, columns: Sequence[str], values: Sequence[Any], sign: str) -> None:
        self.half, self.sign = len(columns), sign
        super().__init__(*columns, *values)

    def as_sql(self, compiler: Any, *args: Any, **context: Any) -> tuple[str, list[Any]]:
        parts, params = [], []
        for source in self.source_expressions:
            text, values = compiler.compile(source)
            parts.append(text)
            params += values
        own, others = ", ".join(parts[: self.half]), ", ".join(parts[self.half :])
        return f"(({own}) {self.sign} ({others}))", params


def read_page(
    branches: Sequence[models.QuerySet[Any]], order: Order, place: Place, size: int
) -> Page:
    """One page of all rows that any of the branches finds; each of them is read by an index.

    The page before the first is the first, whole.
    """
    found = _read(branches, order, place, size + 1)
    more, rows = len(found) > size, found[:size]
    if not place.backwards:
        return Page(rows, has_before=place.key is not None, has_after=more)
    if place.key is not None and not more:
        return read_page(branches, order, FIRST, size)
    return Page(rows[::-1], has_before=more, has_after=place.key is not None)


def _read(
    branches: Sequence[models.QuerySet[Any]], order: Order, place: Place, most: int
) -> list[Any]:
    names = order.by(backwards=place.backwards)
    parts = [_from(branch, order, place).order_by(*names)[:most] for branch in branches]
    if len(parts) == 1:
        return list(parts[0])
    keys = {tuple(key) for part in parts for key in part.values_list(*order.columns)}
    first = sorted(keys, reverse=names[0].startswith("-"))[:most]
    # The last column of every merged list is the row's own id.
    rows = branches[0].model._default_manager.filter(pk__in=[key[-1] for key in first])
    related = branches[0].query.select_related
    if isinstance(related, dict):
        rows = rows.select_related(*related)
    by_key = {order.key(row): row for row in rows}
    return [by_key[key] for key in first if key in by_key]


def _from(rows: models.QuerySet[Any], order: Order, place: Place) -> models.QuerySet[Any]:
    if place.key is None:
        return rows
    fields = [rows.model._meta.get_field(column) for column in order.columns]
    values = [
        Value(value, output_field=field) for value, field in zip(place.key, fields, strict=True)
    ]
    sign = "<" if order.descending != place.backwards else ">"
    return rows.filter(Q(Beside(order.columns, values, sign)))


def find_place(query: Mapping[str, str], order: Order, model: type[models.Model]) -> Place:
    """The place an address asks for. Raises BadPlace."""
    after, before = query.get(AFTER), query.get(BEFORE)
    if after is not None and before is not None:
        raise BadPlace("a page is after a row or before it")
    if before == END:
        return Place(backwards=True)
    text = after if after is not None else before
    if text is None:
        return FIRST
    return Place(_parsed(text, order, model), backwards=before is not None)


def written(key: Sequence[Any]) -> str:
    """A row's key as it stands in an address."""
    return _BETWEEN.join(_part(value) for value in key)


def _part(value: Any) -> str:
    if isinstance(value, datetime):
        return str((value - _EPOCH) // _MICROSECOND)
    return value.hex if isinstance(value, UUID) else str(value)


def _parsed(text: str, order: Order, model: type[models.Model]) -> tuple[Any, ...]:
    parts = text.split(_BETWEEN, len(order.columns) - 1)
    if len(parts) != len(order.columns) or len(text) > _MAX_TEXT or "\x00" in text:
        raise BadPlace("this is no place in the list")
    fields = [model._meta.get_field(column) for column in order.columns]
    return tuple(_value(part, field) for part, field in zip(parts, fields, strict=True))


def _value(part: str, field: Any) -> Any:
    if isinstance(field, models.DateTimeField):
        if not re.fullmatch("[0-9]{1,17}", part):
            raise BadPlace("this is no time")
        return _EPOCH + int(part) * _MICROSECOND
    if isinstance(field, models.UUIDField):
        if not re.fullmatch("[0-9a-f]{32}", part):
            raise BadPlace("this is no id")
        return UUID(hex=part)
    return part


class KeysetChangeList(ChangeList):
    """Django's list, read page by page beside a row; nothing is counted."""

    page: Page
    model_admin: "KeysetAdmin"

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self._asked: Mapping[str, str] = request.GET.dict()
        super().__init__(request, *args, **kwargs)

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        return self.model_admin.order.by(backwards=False)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """The filtered rows; what was searched for is applied branch by branch."""
        for name in (AFTER, BEFORE):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        if hasattr(self, "page"):
            # An action asks again which rows it may be about: those that were found.
            return super().get_queryset(request, exclude_parameters)
        searched, self.query = self.query, ""
        try:
            return super().get_queryset(request, exclude_parameters)
        finally:
            self.query = searched

    def get_results(self, request: HttpRequest) -> None:
        place = find_place(self._asked, self.model_admin.order, self.model)
        self.page = self.model_admin.read_page(self.queryset, self.query, self.params, place)
        self.result_list = list(self.page.rows)
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count, self.show_admin_actions = False, True
        self.can_show_all = self.multi_page = False
        self.paginator = None

    def links(self) -> Iterator[tuple[str, str]]:
        """(words, address) of the pages that can be reached from this one."""
        first, back, on, last = self.model_admin.page_words
        rows, key = self.page.rows, self.model_admin.order.key
        if self.page.has_before:
            yield first, self._address()
            if rows:
                yield back, self._address(BEFORE, written(key(rows[0])))
        if self.page.has_after and rows:
            yield on, self._address(AFTER, written(key(rows[-1])))
            yield last, self._address(BEFORE, END)

    def _address(self, name: str = "", value: str = "") -> str:
        place = {name: value} if name else {}
        return "?" + urlencode({**self.params, **place})


class KeysetAdmin(TenantModelAdmin):
    """A long list. `order` needs an index behind the tenant, and so does every search and filter;
    a filter that one index can't serve is split into branches that each have theirs."""

    order: ClassVar[Order] = Order(("created_at", "id"), descending=True)
    page_words: ClassVar[tuple[str, str, str, str]] = ("Newest", "Newer", "Older", "Oldest")
    list_per_page = 100

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return self.order.by(backwards=False)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return KeysetChangeList

    def searched(self, text: str) -> str | None:
        """What is searched for, empty for everything; nothing when it can't find anything."""
        typed = text.strip()
        return None if "\x00" in typed or len(typed) > MAX_SEARCH else typed

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        ways = self.search_branches(text)
        if not ways:
            return queryset.none()
        found = Q()
        for way in ways:
            found |= way
        return queryset.filter(found)

    def search_branches(self, text: str) -> Sequence[Q]:
        """Ways to find `text`, each by an index of its own; none finds nothing."""
        return ()

    def filter_branches(self, chosen: Mapping[str, str]) -> Sequence[Q]:
        """Conditions that share out the chosen filters' rows so that an index serves each."""
        return (Q(),)

    def read_page(
        self, queryset: models.QuerySet[Any], text: str, chosen: Mapping[str, str], place: Place
    ) -> Page:
        """The page at `place` of the filtered rows, or of those among them that `text` finds."""
        typed = self.searched(text)
        if typed is None:
            return Page(())
        ways = self.search_branches(typed) if typed else (Q(),)
        branches = [
            queryset.filter(way).filter(share)
            for way in ways
            for share in self.filter_branches(chosen)
        ]
        return read_page(branches, self.order, place, self.list_per_page) if branches else Page(())
