"""How people are listed and found on the administration site."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from tenants.admin.paging import KeysetAdmin, Order, Page, Place
from tenants.admin.search import SHORTEST, TOO_SHORT, find_person_of_reference, first_matches

from .people import guest_lookup
from .search_keys import folded, people_by

SEARCH_HELP = (
    "The beginning of a name or of the user ID, given name and surname, "
    "a guest's whole email, or a reference code such as K7M4-92QX."
)


class PeopleList(KeysetAdmin):
    """People in the order of their user IDs. A search shows the first that match, at most
    `most_found`: who finds more has to say more, in a large organisation as in a small one. With a
    reference code it shows whose journey it is."""

    order = Order(("user_id",))
    page_words = ("First", "Previous", "Next", "Last")
    search_fields = ("user_id",)
    search_help_text = SEARCH_HELP
    list_per_page = 100
    most_found = 50

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        found = self._found(queryset, text).rows
        return queryset.filter(pk__in=[person.pk for person in found])

    def read_page(
        self, queryset: models.QuerySet[Any], text: str, chosen: Mapping[str, str], place: Place
    ) -> Page:
        typed = self.searched(text)
        if not typed:
            return super().read_page(queryset, text, chosen, place)
        return self._found(queryset, typed)

    def _found(self, queryset: models.QuerySet[Any], text: str) -> Page:
        known = find_person_of_reference(text)
        if known is not None:
            return _of_reference(queryset, *known)
        if len(folded(text).strip(" ,")) < SHORTEST:
            return Page((), note=TOO_SHORT)
        most = self.most_found
        ways = people_by(text)
        if "@" in text:
            ways.append((Q(guest_lookup=guest_lookup(text)), ()))
        rows, more = first_matches(queryset, ways, most=most)
        note = f"More than {most} people match. Type more of the name." if more else ""
        return Page(rows, note=note)


def _of_reference(queryset: models.QuerySet[Any], reference: str, person: UUID | None) -> Page:
    rows = list(queryset.filter(pk=person)) if person is not None else []
    if not rows:
        return Page((), note=f"{reference} is a journey of nobody in this list.")
    return Page(rows, note=f"{reference} is a journey of {rows[0].user_id}.")
