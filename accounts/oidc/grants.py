"""oauthlib's grants, narrowed to what this provider offers: code with S256, rotating refresh."""

from collections.abc import Callable
from typing import Any

from oauthlib.oauth2 import (
    AuthorizationEndpoint,
    BearerToken,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant as PlainCodeGrant
from oauthlib.oauth2.rfc6749.grant_types import RefreshTokenGrant as PlainRefreshGrant
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256
from oauthlib.openid.connect.core.endpoints.userinfo import UserInfoEndpoint
from oauthlib.openid.connect.core.exceptions import (
    RegistrationNotSupported,
    RequestNotSupported,
    RequestURINotSupported,
)
from oauthlib.openid.connect.core.grant_types import AuthorizationCodeGrant, RefreshTokenGrant

from .rules import ACCESS_LIFETIME

_CHALLENGE_LENGTH = 43  # SHA-256 in base64url
_REFUSED = {
    "request": RequestNotSupported,
    "request_uri": RequestURINotSupported,
    "registration": RegistrationNotSupported,
}


class _Code(PlainCodeGrant):
    """The code grant. `plain` challenges are none; codes are 256 random bits; the answer names its
    issuer (RFC 9207), so that a client that talks to several is not mixed up."""

    _code_challenge_methods = {"S256": code_challenge_method_s256}

    def create_authorization_code(self, request: Any) -> dict[str, str]:
        grant = {"code": self.request_validator.new_secret(), "iss": self.request_validator.issuer}
        return {**grant, "state": request.state} if request.state else grant


class CodeGrant(AuthorizationCodeGrant):
    """OpenID's part around it."""

    def __init__(self, validator: Any) -> None:
        super().__init__(validator)
        # The parent has put its own hooks on a target of the plain kind.
        target = _Code(validator)
        target.custom_validators.pre_auth.append(_refuse_unsupported)
        target.custom_validators.post_auth.append(self.openid_authorization_validator)
        target.custom_validators.post_token.append(self._refresh_where_asked)
        target.register_token_modifier(self.add_id_token)
        self.proxy_target = target

    def _refresh_where_asked(self, request: Any) -> None:
        self.proxy_target.refresh_token = "offline_access" in request.scopes


def _refuse_unsupported(request: Any) -> dict[str, Any]:
    """Parameters that would change the meaning of the request if they were passed over."""
    for name, problem in _REFUSED.items():
        if getattr(request, name, None):
            raise problem(request=request)
    if request.response_mode not in {None, "query"}:
        raise InvalidRequestError("This response_mode is not supported.", request=request)
    method = request.code_challenge_method
    if method is not None and request.code_challenge is None:
        raise InvalidRequestError("There is no code_challenge.", request=request)
    if request.code_challenge is not None and (
        method != "S256" or len(request.code_challenge) != _CHALLENGE_LENGTH
    ):
        raise InvalidRequestError("Use a code_challenge of the method S256.", request=request)
    if len(request.nonce or "") > 255:
        raise InvalidRequestError("The nonce is too long.", request=request)
    return {}


class RefreshGrant(RefreshTokenGrant):
    def __init__(self, validator: Any) -> None:
        super().__init__(validator)
        self.proxy_target = PlainRefreshGrant(validator)
        self.proxy_target.register_token_modifier(self.add_id_token)


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint, UserInfoEndpoint):
    """All endpoints for one request, in the context of one tenant."""

    def __init__(self, validator: Any) -> None:
        new_secret: Callable[[Any], str] = validator.new_token
        bearer = BearerToken(
            validator, new_secret, int(ACCESS_LIFETIME.total_seconds()), new_secret
        )
        code = CodeGrant(validator)
        AuthorizationEndpoint.__init__(self, "code", bearer, {"code": code})
        grants = {"authorization_code": code, "refresh_token": RefreshGrant(validator)}
        TokenEndpoint.__init__(self, "authorization_code", bearer, grants)
        RevocationEndpoint.__init__(self, validator)
        UserInfoEndpoint.__init__(self, validator)
