"""Codes and tokens: made, used once, and dead together when one of them was used twice."""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tenants import audit
from tenants.audit import Party

from ..models import Application, Authorization, Token, User
from .rules import ACCESS_LIFETIME, CODE_LIFETIME, REFRESH_IDLE, REFRESH_LIFETIME

if TYPE_CHECKING:
    from .validator import Moment

MAX_TOKEN = 200


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def save_code(code: str, request: Any, moment: "Moment") -> None:
    """Remembers what the code of an authorization response stands for."""
    standing = moment.standing
    if standing is None:
        raise LookupError("a code is made for somebody who is signed in")
    user: User = standing.user
    Authorization.objects.create(
        application=request.client,
        user=user,
        code_hash=_hash(code),
        redirect_uri=request.redirect_uri,
        scopes=list(request.scopes),
        nonce=request.nonce or "",
        challenge=request.code_challenge or "",
        epoch=user.session_epoch,
        session_hash=standing.session_hash,
        authenticated_at=standing.since,
        methods=list(standing.methods),
        code_expires_at=moment.now + CODE_LIFETIME,
        created_at=moment.now,
    )
    _record("application.signed_in", request.client, user, moment.now)


def take_code(code: str, client: Application, request: Any, moment: "Moment") -> bool:
    """Uses a code up. One that comes twice ends all that came from it (RFC 9700, 2.1.1)."""
    row = _authorizations().filter(code_hash=_hash(code)).first()
    if row is None or row.application_id != client.pk:
        return False
    unused = Authorization.objects.filter(pk=row.pk, code_used_at=None)
    if not unused.update(code_used_at=moment.now):
        _end_as_replayed(row, moment.now)
        return False
    if row.code_expires_at <= moment.now or not _is_alive(row):
        return False
    if not row.challenge and request.code_verifier:
        # A verifier without a challenge: somebody took the challenge out of the request.
        return False
    _carry(row, request)
    return True


def save_tokens(token: Any, authorization: Authorization, moment: "Moment") -> None:
    """The tokens of an answer; only their hashes stay here."""
    now = moment.now
    lives = {"access_token": (Token.Kind.ACCESS, ACCESS_LIFETIME)}
    lives["refresh_token"] = (Token.Kind.REFRESH, REFRESH_IDLE)
    last = authorization.created_at + REFRESH_LIFETIME
    Token.objects.bulk_create(
        Token(
            authorization=authorization,
            kind=kind,
            token_hash=_hash(token[name]),
            expires_at=min(now + life, last),
            created_at=now,
        )
        for name, (kind, life) in lives.items()
        if name in token
    )


def take_refresh(value: str, client: Application, request: Any, moment: "Moment") -> bool:
    """Uses a refresh token up; a used one ends all that came from its sign-in."""
    row = _find(value, Token.Kind.REFRESH)
    if row is None or row.authorization.application_id != client.pk:
        return False
    if not Token.objects.filter(pk=row.pk, used_at=None).update(used_at=moment.now):
        _end_as_replayed(row.authorization, moment.now)
        return False
    if row.expires_at <= moment.now or not _is_alive(row.authorization):
        return False
    _carry(row.authorization, request)
    return True


def find_live(value: str, kind: str, now: datetime) -> Token | None:
    """The token, as long as it, its sign-in, its application and its person are good."""
    row = _find(value, kind)
    good = row is not None and row.expires_at > now and row.used_at is None
    return row if row is not None and good and _is_alive(row.authorization) else None


def revoke(value: str, client: Application, now: datetime) -> None:
    """Ends the whole sign-in a token belongs to, if it is this application's."""
    for kind in Token.Kind.values:
        row = _find(value, kind)
        if row is not None and row.authorization.application_id == client.pk:
            end_authorizations(now, pk=row.authorization_id)


def end_authorizations(now: datetime, **which: Any) -> int:
    """Ends sign-ins to applications, with every code and token of theirs."""
    return int(Authorization.objects.filter(ended_at=None, **which).update(ended_at=now))


def purge_authorizations(now: datetime) -> int:
    """Removes what can't be alive any more, of the tenant in force."""
    Token.objects.filter(expires_at__lte=now - ACCESS_LIFETIME, kind=Token.Kind.ACCESS).delete()
    old = Authorization.objects.filter(created_at__lte=now - REFRESH_LIFETIME)
    return int(old.delete()[0])


def _authorizations() -> Any:
    return Authorization.objects.select_related("application", "user", "tenant")


def _find(value: str, kind: str) -> Token | None:
    if not value or len(value) > MAX_TOKEN:
        return None
    rows = Token.objects.select_related(
        "authorization__application", "authorization__user", "authorization__tenant"
    )
    return rows.filter(token_hash=_hash(value), kind=kind).first()


def _is_alive(row: Authorization) -> bool:
    return (
        row.ended_at is None
        and row.tenant.active
        and row.application.is_enabled
        and row.user.usable
        and row.epoch == row.user.session_epoch
    )


def _carry(row: Authorization, request: Any) -> None:
    request.authorization, request.user, request.scopes = row, row.user, list(row.scopes)


def _end_as_replayed(row: Authorization, now: datetime) -> None:
    if end_authorizations(now, pk=row.pk):
        _record("application.replayed", row.application, row.user, now, result="denied")


def _record(event: str, application: Application, user: User, now: datetime, **more: Any) -> None:
    party = Party("user", user.pk, user.user_id)
    audit.record(
        event,
        actor=party,
        target=party,
        data={"application": application.name},
        now=now,
        **more,
    )
