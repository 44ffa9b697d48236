"""The addresses a browser visits: an application asks, the person agrees, and goes back there."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from tenants.fields import BadForm, read_fields
from tenants.models import Tenant
from tenants.pages import page_context

from ..signin.onwards import AGAIN, comes_from_here, once_more, onwards, see_other, with_next
from .asking import Asked, NotAsked, read_asked
from .keys import signing_keys
from .rules import MAX_REQUEST
from .site import issuer_of, tenant_named_by
from .standing import Standing, find_standing
from .validator import Moment

FRESH = "fresh"
"""Parameter of ours: the person was sent to sign in then, because the application wanted it."""


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Where an application sends a browser to have somebody signed in."""
    if request.method == "POST":
        # Another site's form brings no cookie and may change nothing; its wish is read like a link.
        return see_other(f"{request.path}?{request.POST.urlencode()}")
    query = request.GET.copy()
    query.pop(AGAIN, None)
    tenant = tenant_named_by(query.get("client_id"), request)
    if tenant is None or len(query.urlencode()) > MAX_REQUEST:
        return _not_known(request)
    if not comes_from_here(request):
        return once_more(request)
    standing = find_standing(request, query.get(FRESH, ""))
    try:
        asked = _read(request, tenant, standing, query)
    except NotAsked as problem:
        return see_other(problem.location) if problem.location else _not_known(request)
    return _answered(request, asked, standing, query)


def _answered(
    request: HttpRequest, asked: Asked, standing: Standing | None, query: QueryDict
) -> HttpResponse:
    """The answer of the application, or what stands before it."""
    if standing is not None and asked.moment.standing is None:
        return _page(request, asked, query, "oidc/elsewhere.html")
    if not asked.is_fresh:
        return _to_sign_in(request, asked, query)
    if asked.needs_consent:
        return _page(request, asked, query, "oidc/consent.html")
    return see_other(asked.granted_url())


@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    """What a person answered on the page of an application's request."""
    fields = read_fields(request, ("request", "decision"))
    if len(fields["request"]) > MAX_REQUEST:
        raise BadForm("longer than any request")
    query = QueryDict(fields["request"])
    tenant = tenant_named_by(query.get("client_id"), request)
    if tenant is None:
        return _not_known(request)
    again = f"{reverse('oidc:authorize')}?{query.urlencode()}"
    if fields["decision"] == "switch":
        request.session.flush()
        return see_other(again)
    standing = find_standing(request, query.get(FRESH, ""))
    try:
        asked = _read(request, tenant, standing, query)
    except NotAsked as problem:
        return onwards(request, problem.location) if problem.location else _not_known(request)
    if asked.moment.standing is None or not asked.is_fresh:
        return see_other(again)
    if fields["decision"] != "allow":
        return onwards(request, asked.denied_url(), asked.tenant)
    asked.remember(asked.moment.standing)
    return onwards(request, asked.granted_url(), asked.tenant)


def _read(request: HttpRequest, tenant: UUID, standing: Standing | None, query: QueryDict) -> Asked:
    """The request, judged for whoever of this tenant is signed in. Raises NotAsked."""
    now = timezone.now()
    mine = standing if standing is not None and standing.user.tenant_id == tenant else None
    moment = Moment(now, tenant, issuer_of(request), signing_keys(now), mine)
    return read_asked(moment, request.build_absolute_uri(reverse("oidc:authorize")), query)


def _to_sign_in(request: HttpRequest, asked: Asked, query: QueryDict) -> HttpResponse:
    """Off to sign in and back; whoever is signed in for too long signs in once more."""
    wanted = query.copy()
    if asked.wants_fresh:
        wanted[FRESH] = str(int(asked.moment.now.timestamp()))
    if asked.moment.standing is not None:
        request.session.flush()
    back = f"{reverse('oidc:authorize')}?{wanted.urlencode()}"
    return see_other(with_next(reverse("sign-in:sign-in"), back))


def _page(request: HttpRequest, asked: Asked, query: QueryDict, template: str) -> HttpResponse:
    """A question of ours before the application gets its answer."""
    context = page_context(
        request,
        asked.tenant,
        state="application",
        application=asked.application.name,
        scopes=[scope for scope in asked.scopes if scope != "openid"],
        user_id=asked.moment.standing.user.user_id if asked.moment.standing else "",
        asked=query.urlencode(),
        form_action=reverse("oidc:answer"),
        language_url=f"{reverse('oidc:authorize')}?{query.urlencode()}",
    )
    return render(request, template, context)


def _not_known(request: HttpRequest, tenant: Tenant | None = None) -> HttpResponse:
    """Nobody is told but the person: where to send an error is just what can't be trusted."""
    context = page_context(request, tenant, state="error")
    return render(request, "oidc/not_known.html", context, status=400)
