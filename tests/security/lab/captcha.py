"""The door's captcha, answered as a browser does: with work, or by having waited."""

import base64
import hashlib
import html
import json
import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from resets import captcha

_CHALLENGE = re.compile(r'data-challenge="([^"]+)"')
RIPE = timedelta(seconds=4)


def challenge_of(page: str) -> dict[str, Any]:
    """The challenge a page carries. Fails where there is none."""
    found = _CHALLENGE.search(page)
    assert found is not None, "this page has no captcha"
    challenge: dict[str, Any] = json.loads(html.unescape(found[1]))
    return challenge


def solve(challenge: dict[str, Any]) -> str:
    """Finds the number by trying, and packs it as the form sends it (`altcha`)."""
    salt, wanted = str(challenge["salt"]).encode(), challenge["challenge"]
    for number in range(int(challenge["maxnumber"]) + 1):
        if hashlib.sha256(salt + str(number).encode()).hexdigest() == wanted:
            return pack({**challenge, "number": number})
    raise AssertionError("the challenge has no solution")


def pack(answer: dict[str, Any]) -> str:
    kept = {name: answer[name] for name in ("algorithm", "challenge", "number", "salt")}
    kept["signature"] = answer["signature"]
    return base64.b64encode(json.dumps(kept).encode()).decode()


def ripe_ticket(host: str) -> str:
    """What a browser without JavaScript holds after it waited: cheaper than the work."""
    return captcha.new_ticket(host, timezone.now() - RIPE)
