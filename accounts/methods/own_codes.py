"""Shared by the methods whose codes are made here and kept by people: easy to read and to say."""

import secrets
import unicodedata

from tenants.reference import ALPHABET

from .base import MAX_TYPED

GROUP, GROUPS = 5, 2
LENGTH = GROUP * GROUPS
"""Ten of 31 characters: 49 bits."""
_SEPARATORS = " -\u00a0\u202f"
# Left out of the alphabet because they are misread; typed all the same they mean these.
_MISREAD = str.maketrans({"0": "Q", "O": "Q", "1": "L", "I": "L", "S": "5"})


def new_code() -> str:
    """A fresh code without separators."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def written(code: str) -> str:
    """As it is shown: `K7M4P-92QXR`."""
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def typed_own_code(text: str) -> str:
    """The code that was typed, or "" where it can't be one. Case, separators and the script of the
    digits do not matter."""
    signs = []
    for sign in text if len(text) <= MAX_TYPED else "":
        if sign in _SEPARATORS:
            continue
        value = unicodedata.decimal(sign, None)
        signs.append(sign.upper() if value is None else str(value))
    code = "".join(signs).translate(_MISREAD)
    return code if len(code) == LENGTH and all(sign in ALPHABET for sign in code) else ""
