"""What an application gets to know about a person: no more than the scopes it was given say."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from tenants.keys import tenant_keys
from tenants.models import Domain

from ..identifiers import find_domain
from ..models import Application, Authorization, User
from .rules import ID_TOKEN_LIFETIME, acr_of, amr_of


def subject_of(application: Application, user: User) -> str:
    """The person as this application knows them: always the same, and another one elsewhere."""
    return tenant_keys().mac("oidc subject", application.pk, user.pk).hex()


def claims_of(application: Application, user: User, scopes: Collection[str]) -> dict[str, Any]:
    """The claims about a person that these scopes open, in the tenant's context."""
    claims: dict[str, Any] = {"sub": subject_of(application, user)}
    if "profile" in scopes:
        named = {
            "name": user.display_name,
            "given_name": user.given_name,
            "family_name": user.surname,
            "preferred_username": user.user_id,
            "locale": user.language,
        }
        claims.update((key, value) for key, value in named.items() if value)
    if "email" in scopes:
        # The address the organisation gave, never one that was registered for recovery.
        claims["email"] = user.user_id
        claims["email_verified"] = _is_own_address(user)
    return claims


def id_token_claims(
    authorization: Authorization, scopes: Collection[str], issuer: str, now: datetime
) -> dict[str, Any]:
    """Everything in an ID token but the hash of the access token beside it."""
    application, user = authorization.application, authorization.user
    claims = {
        **claims_of(application, user, scopes),
        "iss": issuer,
        "aud": application.client_id,
        "azp": application.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + ID_TOKEN_LIFETIME).timestamp()),
        "auth_time": int(authorization.authenticated_at.timestamp()),
        "amr": amr_of(authorization.methods),
        "acr": acr_of(authorization.methods),
    }
    return {**claims, "nonce": authorization.nonce} if authorization.nonce else claims


def _is_own_address(user: User) -> bool:
    """Whether the address lies in a domain the tenant has shown to be its own."""
    domain = find_domain(user.user_id)
    return domain is not None and Domain.objects.filter(name=domain, verified=True).exists()
