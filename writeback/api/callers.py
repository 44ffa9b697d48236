"""Whether somebody who waits for an answer is still there."""

import select

from django.http import HttpRequest

_CLOSED = getattr(select, "POLLRDHUP", 0)


class Gone:
    """The end of waiting for a caller that left."""


def has_left(request: HttpRequest) -> bool:
    """Whether the caller closed its side of the connection, as far as the server shows it.

    A job that is handed to nobody has to wait for the end of its lease. A proxy in between closes
    its own connection when the agent's is gone.
    """
    line = request.META.get("gunicorn.socket")
    if line is None or not _CLOSED:
        return False
    looking = select.poll()
    looking.register(line, _CLOSED)
    return bool(looking.poll(0))
