"""Keys that grow with time, for tables that only grow.

Random keys put each new row on a page of its own in every index that holds them. In a table of
millions that is a page read and a page written for each row and index; keys in the order of time
come to the page that the row before has just filled.
"""

import os
import time
from uuid import UUID

_VERSION_7, _VARIANT = 7 << 76, 2 << 62
_RANDOM_A, _RANDOM_B = (1 << 12) - 1, (1 << 62) - 1
_NANOSECONDS = 10**6
"""In a millisecond."""


def ordered_id() -> UUID:
    """A UUID of version 7 (RFC 9562, 5.7): milliseconds since 1970, then 74 random bits.

    It tells when it was made: nothing for what strangers see.
    """
    milliseconds = time.time_ns() // _NANOSECONDS
    random = int.from_bytes(os.urandom(10), "big")
    high = random >> 68 & _RANDOM_A
    return UUID(int=milliseconds << 80 | _VERSION_7 | high << 64 | _VARIANT | random & _RANDOM_B)
