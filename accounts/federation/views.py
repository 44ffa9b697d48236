"""Signing in at another service: to it, back from it, and what the answer is then good for."""

import hmac
from datetime import datetime
from importlib import import_module
from typing import Any
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields
from tenants.keys import SealBroken, tenant_keys
from tenants.lookup import find_tenant
from tenants.models import Tenant
from tenants.pages import address_of, page_context

from ..models import Credential, Redirection
from ..services import party_of
from ..signin.onwards import see_other
from ..signin.person import SignedIn, for_signed_in
from .away import cookie_name, find_provider, problem_page, send_away
from .identities import Taken, connect, find_owner
from .metadata import ProviderFailed
from .redirections import (
    METHOD,
    SEPARATOR,
    Returned,
    Trip,
    bound_to_challenge,
    bound_to_person,
    keep_answer,
    remembered,
    subject_of_answer,
    take_answer,
    take_return,
)

log = structlog.get_logger(__name__)
MAX_NEXT = 4300
MAX_VALUE = 4096
_ANSWER = ("code", "error", "iss")
_JOURNEYS = ("/reset/", "/sign-in/")


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Signing in here with an account there: a page with one button, which leads there."""
    tenant = _tenant_of(request)
    if tenant is None:
        return problem_page(request, None, "unknown", status=404)
    if request.method == "POST":
        read_fields(request, ())
        trip = _sign_in_trip(request.GET.get("next", ""))
        return send_away(request, tenant, slug, trip, timezone.now())
    with tenant_context(tenant):
        front = Tenant.objects.filter(active=True).first()
        provider = find_provider(slug, purpose=Redirection.Purpose.SIGN_IN)
    if front is None or provider is None:
        return problem_page(request, front, "unknown", status=404)
    context = page_context(
        request,
        front,
        state="sign_in",
        provider=provider.name,
        form_action=request.get_full_path(),
    )
    return render(request, "federation/start.html", context)


@require_POST
def prove(request: HttpRequest, slug: str) -> HttpResponse:
    """Away to prove who one is, from a page of a journey that asks for it."""
    fields = read_fields(request, ("ticket", "goes_on"))
    tenant, challenge = _read_ticket(request, fields["ticket"])
    goes_on = fields["goes_on"]
    if not (_is_local(request, goes_on) and goes_on.startswith(_JOURNEYS)):
        raise BadForm("an address that no page of ours sends")

    def trip(callback: str) -> Trip:
        bound_to = bound_to_challenge(challenge)
        return Trip(Redirection.Purpose.PROOF, bound_to, goes_on, callback)

    return send_away(request, tenant, slug, trip, timezone.now())


@require_safe
def callback(request: HttpRequest, slug: str) -> HttpResponse:
    """Where a provider sends the browser back to. Its answer is good once, for this browser."""
    now = timezone.now()
    tenant, redirection = _read_state(request)
    kept = request.COOKIES.get(cookie_name(redirection), "") if redirection is not None else ""
    if tenant is None or redirection is None or not kept or _has_twice(request):
        return problem_page(request, None, "not_yours", status=400)
    with tenant_context(tenant):
        front = Tenant.objects.filter(active=True).first()
        found = take_return(slug, redirection, kept, now) if front is not None else None
        secret = _find_secret(found[0]) if found is not None else None
    if front is None or found is None or secret is None:
        return problem_page(request, front, "not_yours", status=400)
    row, asked = found
    answer = {name: request.GET.get(name, "")[:MAX_VALUE] for name in _ANSWER}
    try:
        subject = subject_of_answer(row, asked, secret[0], answer, now)
    except ProviderFailed as failed:
        return _failed(request, front, row, failed.cause, now)
    if row.purpose == Redirection.Purpose.SIGN_IN:
        response = _signed_in(request, front, row, subject, asked["to"], now)
    else:
        with tenant_context(tenant):
            returned = keep_answer(row, asked, subject, now)
        response = _back_page(request, front, returned)
    response.delete_cookie(cookie_name(redirection), path="/", samesite="Lax")
    return response


@require_POST
@for_signed_in
def link(request: HttpRequest, person: SignedIn, slug: str) -> HttpResponse:
    """The last step of connecting an account: the person and session that began it, no other."""
    fields, now = read_fields(request, ("assertion",)), timezone.now()
    if len(fields["assertion"]) > MAX_VALUE:
        raise BadForm("no page of ours sends that")
    with tenant_context(person.tenant.pk):
        bound_to = bound_to_person(person.user.pk, request.session.session_key)
        row = take_answer(Redirection.Purpose.LINK, bound_to, fields["assertion"], now)
        done_url = remembered(row)["done"] if row is not None else ""
    if row is None:
        return problem_page(request, person.tenant, "not_yours", status=400)
    try:
        with tenant_context(person.tenant.pk):
            subject = row.read_subject().reveal()
            by, address = party_of(person.user), address_of(request)
            connect(person.user, row.provider, subject, by=by, address=address, now=now)
    except Taken:
        return problem_page(request, person.tenant, "taken", status=409)
    return see_other(done_url)


def _sign_in_trip(wanted: str) -> Any:
    def trip(callback: str) -> Trip:
        bound_to = tenant_keys().mac("redirection", "anybody")
        return Trip(Redirection.Purpose.SIGN_IN, bound_to, wanted[:MAX_NEXT], callback)

    return trip


def _signed_in(
    request: HttpRequest, front: Tenant, row: Redirection, subject: str, wanted: str, now: datetime
) -> HttpResponse:
    """Signs in the person an account is connected to; nobody is made or connected on the way."""
    with tenant_context(front.pk):
        owner = find_owner(row.provider, subject)
        if owner is None or owner.user is None or not owner.user.usable:
            _record(row, "not_connected", now)
        else:
            Credential.objects.filter(pk=owner.pk).update(used_at=now)
            _record(row, "", now)
    if owner is None or owner.user is None or not owner.user.usable:
        name = row.provider.name
        return problem_page(request, front, "not_connected", provider=name, status=403)
    # What follows reads from the request where its person wanted to go.
    onward: Any = QueryDict(mutable=True)
    onward["next"] = wanted
    request.GET = onward
    finish: Any = import_module("accounts.signin.services").finish_sign_in
    response: HttpResponse = finish(request, owner.user, (METHOD,), now)
    return response


def _back_page(request: HttpRequest, front: Tenant, returned: Returned) -> HttpResponse:
    """Back, with the answer in a form: only this browser has it, and it stands in no address."""
    context = page_context(
        request,
        front,
        state="returned",
        provider=returned.redirection.provider.name,
        value=returned.value,
        form_action=returned.goes_on,
        purpose=returned.redirection.purpose,
    )
    return render(request, "federation/back.html", context)


def _failed(
    request: HttpRequest, front: Tenant | None, row: Redirection, cause: str, now: datetime
) -> HttpResponse:
    with tenant_context(row.tenant_id):
        _record(row, cause, now)
    log.warning("provider_answer_refused", provider=str(row.provider_id), cause=cause)
    kind = cause if cause in {"not_signed_in", "not_fresh"} else "failed"
    return problem_page(request, front, kind, provider=row.provider.name, status=400)


def _record(row: Redirection, cause: str, now: datetime) -> None:
    audit.record(
        "provider.answered",
        actor=Party("anonymous", None, ""),
        result="failure" if cause else "success",
        data={"provider": row.provider.name, "purpose": row.purpose, "cause": cause},
        now=now,
    )


def _find_secret(row: Redirection) -> tuple[Any] | None:
    """The client's secret, which may be none; nothing when it can't be read."""
    try:
        return (row.provider.find_secret(),)
    except SealBroken:
        log.error("provider_unreadable", provider=str(row.provider_id))
        return None


def _tenant_of(request: Any) -> UUID | None:
    """The host's tenant; on the shared host the one that is named."""
    own: UUID | None = request.host_tenant
    named = request.GET.get("organisation", "")[:63]
    return own if own is not None else find_tenant(slug=named) if named else None


def _read_ticket(request: Any, ticket: str) -> tuple[UUID, UUID]:
    """Tenant and challenge of a page of ours. Raises BadForm."""
    text, _, seal = ticket[:256].rpartition(SEPARATOR)
    head, _, challenge = text.partition(SEPARATOR)
    try:
        tenant, pk = UUID(hex=head), UUID(hex=challenge)
        if request.host_tenant not in {None, tenant}:
            raise BadForm("another host's")
        with tenant_context(tenant):
            right = tenant_keys().mac("redirection ticket", text).hex()
    except (ValueError, SealBroken):
        raise BadForm("no page of ours sends that") from None
    if not hmac.compare_digest(right.encode(), seal.encode("utf-8", "replace")):
        raise BadForm("no page of ours sends that")
    return tenant, pk


def _read_state(request: Any) -> tuple[UUID | None, UUID | None]:
    head, _, row = request.GET.get("state", "")[:128].partition(SEPARATOR)
    try:
        tenant, redirection = UUID(hex=head), UUID(hex=row)
    except ValueError:
        return None, None
    return (tenant if request.host_tenant in {None, tenant} else None), redirection


def _has_twice(request: HttpRequest) -> bool:
    return any(len(values) != 1 for _, values in request.GET.lists())


def _is_local(request: HttpRequest, url: str) -> bool:
    return len(url) <= MAX_NEXT and url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    )
