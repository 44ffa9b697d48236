"""Captchas solved beforehand, so that the client is never what a burst waits for."""

import json

from altcha import v1 as altcha
from django.utils import timezone

from resets.captcha import MAX_NUMBER, _key
from tenants.limits import CAPTCHA_LIFETIME

from .browser import solution


def solved(host: str) -> str:
    """A right and fresh answer for this host; the server sees what a browser would send."""
    number = MAX_NUMBER // 2
    made = altcha.create_challenge(
        altcha.ChallengeOptions(
            max_number=MAX_NUMBER,
            hmac_key=_key(host, hard=False),
            expires=timezone.now() + CAPTCHA_LIFETIME,
            number=number,
        )
    )
    return solution(json.loads(json.dumps(made.to_dict())), number)
