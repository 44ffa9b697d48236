"""The call for the tokens of a code, and whether the ID token in the answer is good."""

from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from notifications.outbound import OutboundFailed, OutboundRefused, post
from tenants.secret import Secret

from .metadata import TIMEOUT, Metadata, ProviderFailed, keys_of, read_json
from .rules import ALGORITHMS, Expected, claims_problem


def redeem(
    metadata: Metadata,
    client_id: str,
    secret: Secret[str] | None,
    form: dict[str, str],
) -> str:
    """The ID token for a code; `form` is the call without the client. Raises ProviderFailed."""
    sent = {"grant_type": "authorization_code", **form}
    auth = None
    if secret is None:
        sent["client_id"] = client_id
    elif metadata.posts_secret:
        sent |= {"client_id": client_id, "client_secret": secret.reveal()}
    else:
        auth = (client_id, secret.reveal())
    try:
        answer = post(metadata.token_endpoint, form=sent, basic_auth=auth, timeout=TIMEOUT)
    except OutboundRefused:
        raise ProviderFailed("refused_address") from None
    except OutboundFailed as failed:
        raise ProviderFailed(failed.cause) from None
    if answer.status != 200:
        raise ProviderFailed("code_refused")
    token = read_json(answer.body).get("id_token")
    if not isinstance(token, str):
        raise ProviderFailed("no_id_token")
    return token


def subject_in(metadata: Metadata, token: str, expected: Expected, now: datetime) -> str:
    """Whose ID token it is: the subject within its issuer. Raises ProviderFailed."""
    claims = _signed_claims(metadata, token)
    problem = claims_problem(claims, expected, now)
    if problem:
        raise ProviderFailed(problem)
    return str(claims["sub"])


def _signed_claims(metadata: Metadata, token: str) -> dict[str, Any]:
    for anew in (False, True):
        keys = keys_of(metadata, anew=anew)
        try:
            return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, TypeError):
            # The provider may have a new key since its keys were read.
            continue
    raise ProviderFailed("signature")
