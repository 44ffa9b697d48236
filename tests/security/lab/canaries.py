"""Secrets in every dress they could be kept in, and the search for them.

A secret is looked for as it is, as UTF-16LE, base64 at each of its three places, hex, URL-escaped
and JSON-escaped. A one-time code is six digits, so as plain text it only counts where it stands
alone; everything else is looked for anywhere.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

_CODE = re.compile(r"\d{6}")
SHORTEST = 6


def dresses(secret: str | bytes) -> dict[str, set[bytes]]:
    """The bytes to look for, by the name of the encoding."""
    data = secret.encode() if isinstance(secret, str) else secret
    found = {
        "raw": {data},
        "base64": {piece for skip in range(3) for piece in _base64_at(data, skip)},
        "hex": {data.hex().encode(), data.hex().upper().encode()},
    }
    if isinstance(secret, str):
        found["utf-16"] = {secret.encode("utf-16-le")}
        found["url"] = {quote(secret).encode(), quote_plus(secret).encode()}
        found["url"].add(quote(secret, safe="").encode())
        found["json"] = {json.dumps(secret)[1:-1].encode()}
    else:
        found["base32"] = {base64.b32encode(secret).rstrip(b"=")}
    return found


def _base64_at(data: bytes, skip: int) -> set[bytes]:
    """What stands in base64 wherever `data` begins in the encoded text, without its edges."""
    text = base64.b64encode(bytes(skip) + data)
    first = (0, 2, 3)[skip]
    last = (len(data) + skip) * 8 // 6
    piece = text[first:last]
    return {piece, piece.translate(bytes.maketrans(b"+/", b"-_"))}


def find_secrets(places: Mapping[str, bytes], secrets: Iterable[str | bytes]) -> list[str]:
    """Where a secret stands: `resets_flow: hex of 1 of …`. Never quotes the secret itself."""
    found = []
    for number, secret in enumerate(sorted(secrets, key=repr)):
        if len(secret) < SHORTEST:
            continue
        alone = isinstance(secret, str) and _CODE.fullmatch(secret) is not None
        for encoding, pieces in dresses(secret).items():
            bare = alone and encoding in {"raw", "url", "json"}
            for place, data in places.items():
                if any(_stands_in(piece, data, alone=bare) for piece in pieces):
                    found.append(f"{place}: secret {number} in {encoding}")
    return found


def _stands_in(piece: bytes, data: bytes, *, alone: bool) -> bool:
    if not alone:
        return piece in data
    return (
        re.search(rb"(?<![0-9A-Za-z.])" + re.escape(piece) + rb"(?![0-9A-Za-z])", data) is not None
    )
