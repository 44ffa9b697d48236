"""The captcha: a proof of work that the browser solves by itself (ALTCHA), or a waiting ticket.

Both are signed for one host and work once; the work has to be done in two minutes. Each has an easy
and a hard form: whoever seems to guess pays more. Nothing is stored before an answer comes; then
only the hash of the spent one is, until it would have expired anyway.
"""

import base64
import binascii
import hashlib
import json
import secrets
from datetime import datetime
from urllib.parse import parse_qs

from altcha import v1 as altcha
from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

from tenants.limits import CAPTCHA_LIFETIME, HARD_TICKET_WAIT, TICKET_WAIT
from tenants.statements import run
from tenants.together import Statement, stored

from .models import SpentCaptcha

MAX_NUMBER = 50_000
HARD_NUMBER = 500_000
MAX_PAYLOAD = 2000
_TICKET_SALT = "resets.captcha.ticket"


def _key(host: str, *, hard: bool) -> str:
    """An answer to an easy challenge has no signature that is right for a hard one."""
    salt = "resets.captcha.altcha" + (".hard" if hard else "")
    return salted_hmac(salt, host, algorithm="sha256").hexdigest()


def _ticket_salt(*, hard: bool) -> str:
    return _TICKET_SALT + (".hard" if hard else "")


def new_challenge(host: str, now: datetime, *, hard: bool = False) -> str:
    """The challenge of a page, as JSON; a hard one is ten times the work."""
    most = HARD_NUMBER if hard else MAX_NUMBER
    made = altcha.create_challenge(
        altcha.ChallengeOptions(
            max_number=most, hmac_key=_key(host, hard=hard), expires=now + CAPTCHA_LIFETIME
        )
    ).to_dict()
    return json.dumps({**made, "maxnumber": most})


def new_ticket(host: str, now: datetime, *, hard: bool = False) -> str:
    """What a browser without JavaScript sends back after a few seconds, or after half a minute."""
    content = [host, secrets.token_hex(8), now.timestamp()]
    return signing.dumps(content, salt=_ticket_salt(hard=hard))


def find_solution(payload: str, host: str, now: datetime, *, hard: bool = False) -> bytes | None:
    """The digest of a right and fresh answer to a challenge of this host, still to be spent."""
    if not payload or len(payload) > MAX_PAYLOAD:
        return None
    try:
        data = json.loads(base64.b64decode(payload, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("salt"), str):
        return None
    expires = _expiry_of(data["salt"])
    if expires is None or expires <= now.timestamp():
        return None
    try:
        key = _key(host, hard=hard)
        right, _ = altcha.verify_solution(payload, key, check_expires=False)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return _digest("altcha", str(data.get("challenge"))) if right else None


def _expiry_of(salt: str) -> float | None:
    """The time in the signed salt, `…?expires=1790000000&`; judged by the clock passed in."""
    found = parse_qs(salt.partition("?")[2]).get("expires", [])
    try:
        return float(found[0]) if len(found) == 1 else None
    except ValueError:
        return None


def ticket_age(ticket: str, host: str, now: datetime, *, hard: bool = False) -> float | None:
    """Seconds since a ticket of this host was made; nothing when it is false or too old."""
    if not ticket or len(ticket) > MAX_PAYLOAD:
        return None
    try:
        for_host, _, made = signing.loads(ticket, salt=_ticket_salt(hard=hard))
        age = now.timestamp() - float(made)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if for_host != host or not 0 <= age <= 5 * CAPTCHA_LIFETIME.total_seconds():
        return None
    return age


def is_ripe(age: float, *, hard: bool = False) -> bool:
    return age >= (HARD_TICKET_WAIT if hard else TICKET_WAIT).total_seconds()


def ticket_digest(ticket: str) -> bytes:
    return _digest("ticket", ticket)


def _digest(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}\x1f{settings.SSPR_BASE_URL}\x1f{text}".encode()).digest()


def spending(digest: bytes, now: datetime) -> Statement:
    """The statement that marks an answer as used, which adds no row where it was used before. Of
    many that come at once with the same answer one is right."""
    table = SpentCaptcha._meta.db_table
    text = f"INSERT INTO {table} (digest, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING"  # noqa: S608 - a fixed name
    return text, [digest, stored(now + 6 * CAPTCHA_LIFETIME)]


def spend(digest: bytes, now: datetime) -> bool:
    """Marks an answer as used; whether it was not before."""
    with run(*spending(digest, now)) as cursor:
        return bool(cursor.rowcount)


def forget_spent(now: datetime) -> int:
    """Removes what has expired; part of the regular work."""
    removed, _ = SpentCaptcha.objects.filter(expires_at__lt=now).delete()
    return removed
