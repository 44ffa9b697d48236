"""The addresses applications call by themselves: tokens, claims, keys and what there is."""

import json
from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from oauthlib.oauth2.rfc6749.errors import OAuth2Error

from tenants.context import tenant_context

from .grants import Server
from .keys import signing_keys
from .rules import ACR_ONE, ACR_TWO, ALGORITHM, SCOPES
from .site import absolute, issuer_of, tenant_named_by
from .validator import Moment, Validator, named_client

Answer = tuple[Mapping[str, str], str | None, int]
_BEARER = "Bearer "


@csrf_exempt
@require_POST
@sensitive_post_parameters()
def token(request: HttpRequest) -> HttpResponse:
    """A code or refresh token for new tokens."""
    return _for_client(request, lambda server, call: server.create_token_response(*call))


@csrf_exempt
@require_POST
@sensitive_post_parameters()
def revoke(request: HttpRequest) -> HttpResponse:
    """Ends the sign-in that a token belongs to."""
    return _for_client(request, lambda server, call: server.create_revocation_response(*call))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def userinfo(request: HttpRequest) -> HttpResponse:
    """Claims about the person an access token is for."""
    header = request.headers.get("Authorization", "")
    given = header.removeprefix(_BEARER) if header.startswith(_BEARER) else None
    given = given or (request.POST.get("access_token") if request.method == "POST" else None)
    tenant = tenant_named_by(given, request)
    if tenant is None:
        return _bad_token()
    now = timezone.now()
    moment = Moment(now, tenant, issuer_of(request), signing_keys(now))
    with tenant_context(tenant):
        try:
            server = Server(Validator(moment))
            headers, body, status = server.create_userinfo_response(
                issuer_of(request), "GET", None, {"Authorization": f"{_BEARER}{given}"}
            )
        except OAuth2Error:
            return _bad_token()
    return HttpResponse(body, status=status, headers=headers)


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The public keys that ID tokens are checked with."""
    return JsonResponse(signing_keys(timezone.now(), kept=False).public())


@require_safe
def configuration(request: HttpRequest) -> HttpResponse:
    """What this provider can do (OpenID Connect Discovery)."""
    return JsonResponse(
        {
            "issuer": issuer_of(request),
            "authorization_endpoint": absolute(request, "authorize"),
            "token_endpoint": absolute(request, "token"),
            "userinfo_endpoint": absolute(request, "userinfo"),
            "revocation_endpoint": absolute(request, "revoke"),
            "end_session_endpoint": absolute(request, "logout"),
            "jwks_uri": absolute(request, "keys"),
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
                "none",
            ],
            "code_challenge_methods_supported": ["S256"],
            "acr_values_supported": [ACR_ONE, ACR_TWO],
            "prompt_values_supported": ["none", "login", "consent"],
            "claims_supported": [
                *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "amr", "acr"),
                *("name", "given_name", "family_name", "preferred_username", "locale"),
                *("email", "email_verified"),
            ],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }
    )


Call = tuple[str, str, str, dict[str, str]]


def _for_client(request: HttpRequest, work: Callable[[Server, Call], Answer]) -> HttpResponse:
    """Runs an endpoint in the tenant of the application that calls it."""
    sent = _read_call(request)
    if sent is None:
        return _problem("invalid_request", 400)
    tenant = tenant_named_by(named_client(sent[3], request.POST.get("client_id")), request)
    if tenant is None:
        return _problem("invalid_client", 401)
    now = timezone.now()
    moment = Moment(now, tenant, issuer_of(request), signing_keys(now))
    with tenant_context(tenant):
        try:
            headers, body, status = work(Server(Validator(moment)), sent)
        except OAuth2Error as problem:
            return _problem(problem.error, problem.status_code)
        except ValueError:
            return _problem("invalid_request", 400)
    return HttpResponse(body or "", status=status, headers=dict(headers))


def _read_call(request: HttpRequest) -> Call | None:
    """The call as oauthlib reads it; nothing when it is not a form."""
    if request.content_type != "application/x-www-form-urlencoded" or request.GET:
        return None
    try:
        body = request.body.decode("ascii")
    except UnicodeDecodeError:
        return None
    headers = {
        "Authorization": request.headers.get("Authorization", ""),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return request.build_absolute_uri(request.path), "POST", body, headers


def _problem(error: str, status: int) -> HttpResponse:
    response = HttpResponse(
        json.dumps({"error": error}), status=status, content_type="application/json"
    )
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="oidc"'
    return response


def _bad_token() -> HttpResponse:
    response = _problem("invalid_token", 401)
    response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response
