"""Reading a form strictly: only the fields the page has, each once, each text (R-8)."""

from collections.abc import Collection, Mapping

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

ALWAYS = frozenset({"csrfmiddlewaretoken"})


class BadForm(SuspiciousOperation):
    """A form that no page of ours sends. Answered with 400 before anything is looked up."""


def read_fields(request: HttpRequest, allowed: Collection[str]) -> Mapping[str, str]:
    """The typed values by name; missing ones are empty. Raises BadForm."""
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        raise BadForm("not a form")
    if request.FILES:
        raise BadForm("a file where none is asked for")
    names = set(request.POST) - ALWAYS
    if names - set(allowed):
        raise BadForm("an unknown field")
    if any(len(request.POST.getlist(name)) != 1 for name in request.POST):
        raise BadForm("a field that stands twice")
    if names & set(request.GET):
        raise BadForm("a field in the form and in the address")
    values = {name: request.POST.get(name, "") for name in allowed}
    if any("\x00" in value for value in values.values()):
        raise BadForm("a character that nobody types")
    return {name: str(value) for name, value in values.items()}
