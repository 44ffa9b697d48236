"""PURE. Codes of OATH tokens (RFC 4226 and 6238), and where in its sequence a token is.

A position is the number of a code: the counter of an event-based token, the time step of a
time-based one.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

ALGORITHMS = ("sha1", "sha256")
DIGITS = (6, 8)
PERIODS = (30, 60)
SEED_BYTES = range(10, 65)
AROUND = 1
"""Steps that a clock may be early or late beside what is known of its drift."""
AHEAD = 10
"""Codes of an event-based token that may have been made and not used."""
RESYNC = 100
"""Positions that two consecutive codes are looked for in."""


@dataclass(frozen=True)
class OathToken:
    """What is inside a token. period: seconds of a time step; 0 counts events instead."""

    seed: bytes = field(repr=False)
    algorithm: str = "sha1"
    digits: int = 6
    period: int = 30

    def to_json(self) -> str:
        return json.dumps(
            {
                "seed": self.seed.hex(),
                "algorithm": self.algorithm,
                "digits": self.digits,
                "period": self.period,
            }
        )

    @staticmethod
    def from_json(text: str) -> "OathToken":
        """Raises ValueError or KeyError for what `to_json` never wrote."""
        found = json.loads(text)
        seed = bytes.fromhex(found["seed"])
        return OathToken(seed, found["algorithm"], found["digits"], found["period"])

    def code(self, position: int) -> str:
        """The code at a position, with its leading zeros."""
        moving = position.to_bytes(8, "big")
        digest = hmac.digest(self.seed, moving, getattr(hashlib, self.algorithm))
        offset = digest[-1] & 0x0F
        number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
        return f"{number % 10**self.digits:0{self.digits}d}"


DECOY = OathToken(bytes(20))


def expected(token: OathToken, last: int, drift: int, seconds: float) -> range:
    """Positions whose code is right now. last: the position used last; drift: steps that the
    token's clock was found to be off."""
    if token.period == 0:
        return range(max(0, last + 1), max(0, last + 1) + AHEAD)
    step = int(seconds) // token.period + drift
    return range(max(0, step - AROUND), max(0, step + AROUND + 1))


def find_position(token: OathToken, typed: str, positions: Iterable[int], last: int) -> int | None:
    """The first of the positions, after the last one used, whose code was typed. Every one is
    compared, so that time does not tell which."""
    found = None
    for position in positions:
        same = hmac.compare_digest(token.code(position).encode(), typed.encode())
        if same and position > last and found is None:
            found = position
    return found


def find_pair(token: OathToken, first: str, second: str, last: int, seconds: float) -> int | None:
    """The position of the second of two codes that follow each other, in a wide window."""
    if token.period == 0:
        positions = range(max(0, last + 1), max(0, last + 1) + RESYNC)
    else:
        step = int(seconds) // token.period
        positions = range(max(0, step - RESYNC), step + RESYNC)
    found = None
    for position in positions:
        same = hmac.compare_digest(token.code(position).encode(), first.encode())
        next_one = hmac.compare_digest(token.code(position + 1).encode(), second.encode())
        if same and next_one and position > last and found is None:
            found = position + 1
    return found


def drift_of(token: OathToken, position: int, seconds: float | None) -> int:
    """Steps that a token's clock was off when it was used last, which the next use starts from."""
    if token.period == 0 or position < 0 or seconds is None:
        return 0
    drift = position - int(seconds) // token.period
    return drift if abs(drift) <= RESYNC else 0
