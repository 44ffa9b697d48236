"""What a piece of work asked of the database."""

from collections import Counter
from collections.abc import Iterable, Mapping

TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK")


def counted(captured: Iterable[Mapping[str, str]]) -> Counter[str]:
    """How many times each of `TRANSACTION` and, under `statement`, anything else. captured: by
    Django's CaptureQueriesContext."""
    found = (query["sql"] for query in captured)
    return Counter(sql if sql in TRANSACTION else "statement" for sql in found)
