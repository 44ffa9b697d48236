"""PURE. The short code a person reads out on the phone, e.g. `K7M4-92QX`.

Seven random characters and one check character over an alphabet of 31: because 31 is prime, the
weighted sum catches every single wrong character and every swap of two. I, O, S, 0 and 1 are left
out because they are misheard or misread.
"""

from collections.abc import Callable

ALPHABET = "23456789ABCDEFGHJKLMNPQRTUVWXYZ"
LENGTH = 8
_MISREAD = str.maketrans({"0": "Q", "O": "Q", "1": "L", "I": "L", "S": "5"})


def check_character(body: str) -> str:
    """The character that completes `body` (seven characters of the alphabet)."""
    total = sum(weight * ALPHABET.index(char) for weight, char in enumerate(body, start=1))
    return ALPHABET[total % len(ALPHABET)]


def new_reference(choose: Callable[[str], str]) -> str:
    """A fresh code in its written form; `choose` draws one character of a string at random."""
    body = "".join(choose(ALPHABET) for _ in range(LENGTH - 1))
    return written(body + check_character(body))


def written(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"


def find_reference(text: str) -> str | None:
    """The written form of what somebody typed, or nothing when it can't be a reference code."""
    code = "".join(char for char in text.upper() if char.isascii() and char.isalnum())
    code = code.translate(_MISREAD)
    if len(code) != LENGTH or any(char not in ALPHABET for char in code):
        return None
    if check_character(code[:-1]) != code[-1]:
        return None
    return written(code)
