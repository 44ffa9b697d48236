"""Signing out because an application asked for it (OpenID Connect RP-Initiated Logout)."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields
from tenants.models import Tenant
from tenants.pages import page_context

from ..models import Application
from ..signin.onwards import AGAIN, comes_from_here, once_more, onwards, see_other
from .claims import subject_of
from .keys import signing_keys
from .rules import MAX_REQUEST
from .site import issuer_of, tenant_named_by
from .standing import Standing, find_standing
from .tokens import end_authorizations
from .validator import find_application


@dataclass(frozen=True)
class Wish:
    """What an application may have: whose it is, where to go then. is_sure: its hint names the
    person who is signed in here, so nobody has to be asked."""

    application: Application | None
    tenant: Tenant | None
    goes_to: str
    is_sure: bool


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def logout(request: HttpRequest) -> HttpResponse:
    """Signs out at once where the hint says who is meant, else asks."""
    if request.method == "POST":
        return see_other(f"{request.path}?{request.POST.urlencode()}")
    if len(request.META.get("QUERY_STRING", "")) > MAX_REQUEST:
        raise BadForm("longer than any request")
    if not comes_from_here(request):
        return once_more(request)
    query = request.GET.copy()
    query.pop(AGAIN, None)
    standing = find_standing(request)
    wish = _read(request, query, standing)
    if standing is not None and not wish.is_sure:
        context = page_context(
            request,
            wish.tenant,
            state="signing_out",
            application=wish.application.name if wish.application is not None else "",
            asked=query.urlencode(),
            form_action=reverse("oidc:leave"),
        )
        return render(request, "oidc/logout.html", context)
    return _left(request, wish, standing)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """The person said yes."""
    fields = read_fields(request, ("request",))
    if len(fields["request"]) > MAX_REQUEST:
        raise BadForm("longer than any request")
    standing = find_standing(request)
    return _left(request, _read(request, QueryDict(fields["request"]), standing), standing)


def _left(request: HttpRequest, wish: Wish, standing: Standing | None) -> HttpResponse:
    if standing is not None:
        with tenant_context(standing.user.tenant_id):
            end_authorizations(timezone.now(), session_hash=standing.session_hash)
        request.session.flush()
    if wish.goes_to:
        return onwards(request, wish.goes_to, wish.tenant)
    context = page_context(request, wish.tenant, state="signed_out")
    return render(request, "oidc/signed_out.html", context)


def _read(request: HttpRequest, query: QueryDict, standing: Standing | None) -> Wish:
    """The wish, as far as it can be believed: an unknown address is left out, not followed."""
    known = _hint(request, query.get("id_token_hint", ""))
    hinted = str(known.get("aud", ""))
    client_id = query.get("client_id") or hinted
    tenant_id = tenant_named_by(client_id, request)
    if tenant_id is None or (hinted and client_id != hinted):
        return Wish(None, None, "", is_sure=False)
    with tenant_context(tenant_id):
        application = find_application(client_id)
        if application is None:
            return Wish(None, None, "", is_sure=False)
        tenant = Tenant.objects.first()
        mine = standing is not None and standing.user.tenant_id == tenant_id
        subject = subject_of(application, standing.user) if standing is not None and mine else ""
    is_sure = bool(subject) and known.get("sub") == subject
    return Wish(application, tenant, _goes_to(application, query), is_sure)


def _goes_to(application: Application, query: QueryDict) -> str:
    wanted = query.get("post_logout_redirect_uri", "")
    if wanted not in application.logout_uris:
        return ""
    state = query.get("state", "")
    if not state:
        return wanted
    return f"{wanted}{'&' if '?' in wanted else '?'}{urlencode({'state': state})}"


def _hint(request: HttpRequest, token: str) -> dict[str, object]:
    """The claims of an ID token of this issuer, expired or not."""
    found = signing_keys(timezone.now()).find_claims(token) if token else None
    return found if found is not None and found.get("iss") == issuer_of(request) else {}
