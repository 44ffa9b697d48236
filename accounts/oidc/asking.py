"""What an application asks for, once it is known to be right."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, FatalClientError, OAuth2Error
from oauthlib.oauth2.rfc6749.utils import scope_to_list

from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.models import Tenant

from ..models import Application, Consent
from .grants import Server
from .standing import Standing, has_consent, max_age_of
from .validator import Moment, Validator


class NotAsked(Exception):
    """A request that can't be granted. `location` is where the application is told so; empty where
    nobody knows who asked, and the browser is told instead."""

    def __init__(self, location: str) -> None:
        super().__init__("not a request that can be granted")
        self.location = location


@dataclass(frozen=True)
class Asked:
    """A valid request. is_fresh: the sign-in is recent enough for it; needs_consent: the person
    has to agree first; wants_fresh: it says how recent a sign-in has to be."""

    moment: Moment
    tenant: Tenant
    application: Application
    scopes: tuple[str, ...]
    is_fresh: bool
    needs_consent: bool
    wants_fresh: bool
    request: Any

    def denied_url(self) -> str:
        """Back to the application, with the word that the person did not agree."""
        return _told(AccessDeniedError(request=self.request), self.moment)

    def granted_url(self) -> str:
        """Back to the application, with a code."""
        with tenant_context(self.moment.tenant):
            server = Server(Validator(self.moment))
            headers, _, _ = server.create_authorization_response(self.request.uri)
        return str(headers["Location"])

    def remember(self, standing: Standing) -> None:
        """Keeps what the person agreed to."""
        now = self.moment.now
        with tenant_context(self.moment.tenant):
            row, _ = Consent.objects.get_or_create(
                application=self.application, user=standing.user, defaults={"given_at": now}
            )
            if set(self.scopes) <= set(row.scopes):
                return
            row.scopes = sorted({*row.scopes, *self.scopes})
            row.given_at = now
            row.save(update_fields=["scopes", "given_at"])
            party = Party("user", standing.user.pk, standing.user.user_id)
            audit.record(
                "application.consented",
                actor=party,
                target=party,
                data={"application": self.application.name, "scopes": list(self.scopes)},
                now=now,
            )


def read_asked(moment: Moment, endpoint: str, query: QueryDict) -> Asked:
    """The request in the query, judged. Raises NotAsked."""
    uri = f"{endpoint}?{query.urlencode()}"
    with tenant_context(moment.tenant):
        tenant = Tenant.objects.filter(active=True).first()
        if tenant is None:
            raise NotAsked("")
        try:
            server = Server(Validator(moment))
            scopes, found = server.validate_authorization_request(uri)
        except (FatalClientError, ValueError):
            raise NotAsked("") from None
        except OAuth2Error as problem:
            raise NotAsked(_told(problem, moment)) from None
        return _asked(moment, tenant, tuple(scopes), found["request"])


def _asked(moment: Moment, tenant: Tenant, scopes: tuple[str, ...], request: Any) -> Asked:
    standing, prompt = moment.standing, scope_to_list(request.prompt or "") or []
    settled = standing is not None and has_consent(request.client, standing.user, scopes)
    return Asked(
        moment=moment,
        tenant=tenant,
        application=request.client,
        scopes=scopes,
        is_fresh=standing is not None and standing.is_fresh_for(request, moment.now),
        needs_consent=not settled or "consent" in prompt,
        wants_fresh="login" in prompt or max_age_of(request) is not None,
        request=request,
    )


def _told(problem: OAuth2Error, moment: Moment) -> str:
    """Where an application reads what was wrong; the answer names its issuer like a right one."""
    if not problem.redirect_uri:
        return ""
    problem.response_mode = None  # whatever was wished for, the answer is in the query
    url = str(problem.in_uri(problem.redirect_uri))
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}{urlencode({'iss': moment.issuer})}"
