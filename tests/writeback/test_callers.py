"""Whether an agent that waits for a job is still there."""

import socket

from django.http import HttpRequest

from writeback.api.callers import has_left


def test_a_caller_that_closed_its_side_has_left() -> None:
    near, far = socket.socketpair()
    with near, far:
        request = HttpRequest()
        request.META["gunicorn.socket"] = near
        assert not has_left(request)
        far.sendall(b"more")
        assert not has_left(request)
        far.close()
        assert has_left(request)


def test_a_server_that_shows_no_connection_tells_nothing() -> None:
    assert not has_left(HttpRequest())
