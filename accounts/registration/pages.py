"""What the security-info pages share: the frame, the way back, and short refusals."""

from collections.abc import Mapping
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from tenants.context import tenant_context
from tenants.pages import page_context

from ..methods.words import LABELS
from ..signin.person import PersonView, SignedIn, for_proved
from .standing import terms_in_force

SEE_OTHER = 303
MIN_RETRY_SECONDS = 1


def info_page(
    request: HttpRequest,
    person: SignedIn | None,
    template: str,
    *,
    state: str = "security_info",
    status: int = 200,
    errors: Mapping[str, Any] | None = None,
    **more: Any,
) -> HttpResponse:
    """A page of these, in the look of the person's tenant."""
    context = page_context(
        request,
        person.tenant if person is not None else None,
        state=state,
        index_url=reverse("security-info:index"),
        errors={name: text for name, text in (errors or {}).items() if text},
        **more,
    )
    return render(request, f"security_info/{template}.html", context, status=status)


def see_other(address: str) -> HttpResponse:
    response = HttpResponseRedirect(address)
    response.status_code = SEE_OTHER
    return response


def refusal_page(
    request: HttpRequest,
    person: SignedIn | None,
    kind: str,
    *,
    method: str = "",
    status: int = 403,
    until: datetime | None = None,
    until_text: str = "",
) -> HttpResponse:
    """Why this can't be done, and what can. `kind` is a word the template knows."""
    response = info_page(
        request,
        person,
        "refused",
        state="security_info_refused",
        status=status,
        kind=kind,
        method=method,
        label=LABELS.get(method, ""),
        until=until_text,
        start_again=request.path,
    )
    if until is not None:
        seconds = int((until - timezone.now()).total_seconds())
        response.headers["Retry-After"] = str(max(MIN_RETRY_SECONDS, seconds))
    return response


def for_registration(view: PersonView) -> PersonView:
    """`for_proved`, and where the organisation wants more than a password before a first method:
    nobody registers one who proved nothing else."""

    @for_proved
    @wraps(view)
    def wrapped(request: HttpRequest, person: SignedIn, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_register_first(person, timezone.now()):
            return refusal_page(request, person, "first")
        return view(request, person, *args, **kwargs)

    return wrapped


def may_register_first(person: SignedIn, now: datetime) -> bool:
    """Whether what this person proved is enough to register something."""
    if person.is_proved(now):
        return True
    with tenant_context(person.tenant.pk):
        return terms_in_force().rules.register_with_password
