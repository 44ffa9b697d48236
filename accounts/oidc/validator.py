"""What oauthlib asks about our rows. Made anew for each request, in the tenant's context."""

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from oauthlib.openid import RequestValidator

from ..models import Application, Authorization, Token
from . import tokens
from .claims import claims_of, id_token_claims, subject_of
from .keys import Keys
from .rules import known_scopes
from .site import SEPARATOR
from .standing import Standing, has_consent


@dataclass(frozen=True)
class Moment:
    """What a request is judged by. standing: who is signed in here, nothing at the endpoints that
    applications call by themselves."""

    now: datetime
    tenant: UUID
    issuer: str
    keys: Keys = field(repr=False)
    standing: Standing | None = None


def find_application(client_id: str | None) -> Application | None:
    """The enabled application with this client ID in the tenant in force."""
    if not client_id or len(client_id) > 64 or "\x00" in client_id:
        return None
    return Application.objects.filter(client_id=client_id, is_enabled=True).first()


def hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Validator(RequestValidator):
    """oauthlib decides the protocol; this decides what is true."""

    def __init__(self, moment: Moment) -> None:
        self.moment, self.issuer = moment, moment.issuer

    def new_secret(self) -> str:
        return secrets.token_urlsafe(32)

    def new_token(self, request: Any) -> str:
        """A bearer token says by itself whose tenant it is to be looked for in."""
        return f"{self.moment.tenant.hex}{SEPARATOR}{self.new_secret()}"

    # Who the application is.

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        request.client = find_application(client_id)
        return request.client is not None

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        named, _ = _credentials(request)
        found = find_application(named)
        return found is None or not found.is_public

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        named, secret = _credentials(request)
        found = find_application(named)
        if found is None or found.secret_hash is None or secret is None:
            return False
        request.client = found
        request.client_id = request.client_id or found.client_id
        known = bytes(found.secret_hash)
        return request.client_id == named and hmac.compare_digest(hash_of(secret), known)

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kw: Any) -> bool:
        request.client = find_application(client_id)
        return request.client is not None and request.client.is_public

    # What it asks for.

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Any, *a: Any
    ) -> bool:
        return redirect_uri in request.client.redirect_uris

    def get_default_redirect_uri(self, client_id: str, request: Any, *args: Any, **kw: Any) -> None:
        """There is none: OpenID Connect has it in every request."""

    def validate_response_type(self, client_id: str, response_type: str, *args: Any) -> bool:
        return response_type == "code"

    def validate_grant_type(self, client_id: str, grant_type: str, *args: Any, **kw: Any) -> bool:
        return grant_type in {"authorization_code", "refresh_token"}

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kw: Any) -> list[str]:
        return []

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any
    ) -> bool:
        request.scopes = known_scopes(scopes)
        return "openid" in request.scopes

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return bool(request.client.is_public)

    # Who is here, for prompt=none.

    def validate_silent_login(self, request: Any) -> bool:
        standing = self.moment.standing
        return standing is not None and standing.is_fresh_for(request, self.moment.now)

    def validate_silent_authorization(self, request: Any) -> bool:
        standing = self.moment.standing
        return standing is not None and has_consent(request.client, standing.user, request.scopes)

    def validate_user_match(
        self, id_token_hint: str | None, scopes: Any, claims: Any, request: Any
    ) -> bool:
        standing = self.moment.standing
        if not id_token_hint or standing is None:
            return True
        known = self.moment.keys.find_claims(id_token_hint) or {}
        mine = subject_of(request.client, standing.user)
        return known.get("aud") == request.client.client_id and known.get("sub") == mine

    # Codes.

    def save_authorization_code(self, client_id: str, code: Any, request: Any, *args: Any) -> None:
        tokens.save_code(code["code"], request, self.moment)

    def validate_code(
        self, client_id: str, code: str, client: Application, request: Any, *args: Any
    ) -> bool:
        return tokens.take_code(code, client, request, self.moment)

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Any, *a: Any
    ) -> bool:
        return bool(request.authorization.redirect_uri == redirect_uri)

    def get_code_challenge(self, code: str, request: Any) -> str | None:
        return request.authorization.challenge or None

    def get_code_challenge_method(self, code: str, request: Any) -> str:
        return "S256"

    def get_authorization_code_nonce(
        self, client_id: str, code: str, redirect_uri: str, request: Any
    ) -> str:
        return str(request.authorization.nonce)

    def invalidate_authorization_code(self, *args: Any, **kwargs: Any) -> None:
        """It was used up when it was looked at, so that of two at once only one is right."""

    # Tokens.

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        tokens.save_tokens(token, request.authorization, self.moment)

    def validate_refresh_token(
        self, refresh_token: str, client: Application, request: Any, *args: Any
    ) -> bool:
        return tokens.take_refresh(refresh_token, client, request, self.moment)

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any) -> list[str]:
        return list(request.authorization.scopes)

    def rotate_refresh_token(self, request: Any) -> bool:
        return True

    def refresh_id_token(self, request: Any) -> bool:
        return True

    def get_id_token(self, token: Any, token_handler: Any, request: Any) -> str:
        authorization: Authorization = request.authorization
        claims = id_token_claims(authorization, request.scopes, self.issuer, self.moment.now)
        digest = hashlib.sha256(token["access_token"].encode()).digest()[:16]
        claims["at_hash"] = _b64(digest)
        if request.grant_type == "refresh_token":
            claims.pop("nonce", None)
        return self.moment.keys.sign(claims)

    def revoke_token(self, token: str, token_type_hint: Any, request: Any, *args: Any) -> None:
        tokens.revoke(token, request.client, self.moment.now)

    def validate_bearer_token(self, token: str | None, scopes: Any, request: Any) -> bool:
        row = tokens.find_live(token or "", Token.Kind.ACCESS, self.moment.now)
        if row is None:
            return False
        request.authorization, request.scopes = row.authorization, row.authorization.scopes
        return True

    def get_userinfo_claims(self, request: Any) -> dict[str, Any]:
        authorization: Authorization = request.authorization
        return claims_of(authorization.application, authorization.user, request.scopes)


def named_client(headers: Mapping[str, str], in_form: str | None) -> str | None:
    """The client ID a call is made with; nothing where it can't be read."""
    header = headers.get("Authorization", "")
    basic = _basic(header)
    return basic[0] if basic is not None else None if header else in_form


def _credentials(request: Any) -> tuple[str | None, str | None]:
    """Client ID and secret as they were sent, in the header or in the form; never in both."""
    header = request.headers.get("Authorization", "")
    if not header:
        return request.client_id, request.client_secret
    basic = _basic(header)
    return (None, None) if basic is None or request.client_secret is not None else basic


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        text = b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    named, _, secret = text.partition(":")
    return unquote_plus(named), unquote_plus(secret)


def _b64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
