"""What the pages of these methods share."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from tenants.audit import Party
from tenants.pages import address_of, page_context

from ...inventory import By
from ...models import Credential, User
from ...signin.person import SignedIn

SEE_OTHER = 303


def page(
    request: HttpRequest, person: SignedIn, template: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    """A page of the security info; `more` goes to its template."""
    context = page_context(request, person.tenant, state="security_info", **more)
    return render(request, f"security_info/{template}.html", context, status=status)


def refused(
    request: HttpRequest,
    person: SignedIn,
    template: str,
    errors: Mapping[str, Any],
    **more: Any,
) -> HttpResponse:
    """The same page once more with what is wrong."""
    return page(request, person, template, errors=errors, **more)


def done(done_url: str) -> HttpResponse:
    response = HttpResponseRedirect(done_url)
    response.status_code = SEE_OTHER
    return response


def by_owner(request: HttpRequest, person: SignedIn) -> By:
    """The person themselves, at this network address."""
    user = person.user
    return By(Party("user", user.pk, user.user_id), address=address_of(request))


def lock_person(person: SignedIn) -> User:
    """The person's row as it is now, locked, in the tenant's context."""
    user: User = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
    return user


def find_own(person: SignedIn, method: str, entry: str) -> Credential | None:
    """The person's credential of that ID, locked; nothing for what is not theirs."""
    try:
        pk = UUID(entry)
    except ValueError:
        return None
    row: Credential | None = (
        Credential.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(pk=pk, user=person.user, method=method)
        .first()
    )
    return row
