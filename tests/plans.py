"""Plans of PostgreSQL, as `EXPLAIN (FORMAT JSON)` answers with them."""

import json
from collections.abc import Iterator
from typing import Any


def nodes_of(plan: object) -> Iterator[dict[str, Any]]:
    """Every step of a plan, the last one first."""
    text = plan if isinstance(plan, str) else json.dumps(plan)
    nodes = [json.loads(text)[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        yield node
