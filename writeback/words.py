"""PURE. Six words that stand for a key, so that two people can compare it aloud.

The words are made of syllables that sound different from each other in most languages: sixteen
first consonants, eight second ones and four vowels make 2048 words of four letters. Whoever wants
another key with the same six words has to try 2^66 of them.
"""

import hashlib

COUNT = 6
_BITS = 11
_FIRST = "bdfgjklmnrstvwyz"
_SECOND = "blmnrsvw"
_VOWELS = "aeio"


def fingerprint(public_key: bytes) -> tuple[str, ...]:
    """The words of a public key, the same on both sides."""
    digest = hashlib.sha256(public_key).digest()
    number = int.from_bytes(digest, "big") >> (len(digest) * 8 - COUNT * _BITS)
    places = range((COUNT - 1) * _BITS, -1, -_BITS)
    return tuple(_word((number >> place) % (1 << _BITS)) for place in places)


def _word(number: int) -> str:
    letters = []
    for choices in (_VOWELS, _SECOND, _VOWELS, _FIRST):
        number, index = divmod(number, len(choices))
        letters.append(choices[index])
    return "".join(reversed(letters))
