"""A connection that worked a moment ago is not asked again whether it still does.

Django asks before the first query of every request, which is a statement more each time. A
connection that rested longer, or that had trouble, is still asked.
"""

import threading
from time import monotonic
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import connections

TRUSTED_SECONDS = 1.0

_used = threading.local()


def watch_connections() -> None:
    """Connects the receivers; Django's own, which close what is broken or old, come first."""
    request_started.connect(trust_recent)
    request_finished.connect(remember_use)


def trust_recent(**_: Any) -> None:
    """Before work, after Django looked at its connections."""
    wrapper: Any = connections["default"]
    fresh = monotonic() - getattr(_used, "at", 0.0) < TRUSTED_SECONDS
    if wrapper.connection is not None and fresh and not wrapper.errors_occurred:
        wrapper.health_check_done = True


def remember_use(**_: Any) -> None:
    """After work."""
    if connections["default"].connection is not None:
        _used.at = monotonic()
