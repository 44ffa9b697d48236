"""PURE. What an application may be and ask for (OAuth 2.0 Security BCP, OpenID Connect Core)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

CODE_LIFETIME = timedelta(seconds=60)
ACCESS_LIFETIME = timedelta(minutes=10)
ID_TOKEN_LIFETIME = timedelta(minutes=10)
REFRESH_IDLE = timedelta(days=14)
"""A refresh token that nobody used for so long is dead."""
REFRESH_LIFETIME = timedelta(days=90)
"""After this a person signs in anew, however often the tokens were refreshed."""
KEY_SIGNS_FOR = timedelta(days=90)
KEY_SHOWN_FOR = KEY_SIGNS_FOR + timedelta(days=2)

SCOPES = ("openid", "profile", "email", "offline_access")
MAX_URIS = 20
MAX_URI = 500
MAX_NAME = 100
MAX_REQUEST = 4096
"""Characters of an authorization request; longer ones are refused."""
ALGORITHM = "RS256"

_NO_ADDRESS = "Write a full address, such as https://app.example/callback."
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_AMR: Mapping[str, Sequence[str]] = {
    "password": ("pwd",),
    "email": ("otp",),
    "app_code": ("otp",),
    "mobile_phone": ("otp",),
    "office_phone": ("tel",),
    "security_questions": ("kba",),
    "app_notification": ("swk",),
    "passkey": ("hwk", "user"),
    "backup_codes": ("otp",),
    "hardware_token": ("otp", "hwk"),
    "yubikey_otp": ("otp", "hwk"),
    "temporary_access_pass": ("otp",),
    "manager_approval": (),
    "external_identity": ("fed",),
}
"""What a method is called in an ID token (RFC 8176; `fed` for a sign-in at another provider)."""
ACR_ONE, ACR_TWO = "aal1", "aal2"


def uri_problem(uri: str, *, public: bool) -> str:
    """Why an application can't be sent back to this address, as a sentence; empty when it can.

    Addresses are compared letter by letter, so what is stored here is what has to be sent.
    """
    if len(uri) > MAX_URI or not uri.isascii() or not uri.isprintable() or " " in uri:
        return f"Use an address of at most {MAX_URI} plain characters."
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return _NO_ADDRESS
    if parts.username or parts.password or any(sign in uri for sign in "#*\\"):
        return "Leave user name, password, #, * and \\ out of the address."
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "Use an address that starts with https://."
    # RFC 8252: an app's own scheme is a domain name turned round, so it has a dot.
    is_app = public and "." in parts.scheme and bool(parts.netloc or parts.path)
    is_web = parts.scheme in {"http", "https"} and bool(host)
    return "" if is_web or is_app else _NO_ADDRESS


def uris_problem(uris: Sequence[str], *, public: bool, needed: bool) -> str:
    """Like `uri_problem`, for all addresses of an application."""
    if needed and not uris:
        return "Name at least one address."
    if len(uris) > MAX_URIS:
        return f"Name at most {MAX_URIS} addresses."
    if len(set(uris)) != len(uris):
        return "An address stands twice."
    problems = (uri_problem(uri, public=public) for uri in uris)
    return next((problem for problem in problems if problem), "")


def amr_of(methods: Collection[str]) -> list[str]:
    """The methods of a sign-in as an ID token names them; `mfa` for several."""
    found = list(dict.fromkeys(value for name in methods for value in _AMR.get(name, ())))
    return [*found, "mfa"] if is_multiple(methods) else found


def acr_of(methods: Collection[str]) -> str:
    """`aal2` for two methods or a passkey, which are two by itself; else `aal1`."""
    return ACR_TWO if is_multiple(methods) else ACR_ONE


def is_multiple(methods: Collection[str]) -> bool:
    return "passkey" in methods or len(set(methods)) > 1


def known_scopes(asked: Sequence[str]) -> list[str]:
    """What of it there is, in our order: what is not known is passed over."""
    return [scope for scope in SCOPES if scope in asked]
