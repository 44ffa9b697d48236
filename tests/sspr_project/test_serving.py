"""What gunicorn says by itself."""

import socket
from types import SimpleNamespace

import pytest
from gunicorn import util  # type: ignore[import-untyped]  # it ships no types
from gunicorn.http import wsgi  # type: ignore[import-untyped]  # it ships no types

from sspr_project.http import HEADERS
from sspr_project.serving import NamelessResponse, keep_quiet, refusal, refuse

MESSAGE = "Invalid header 'X-Secret: 402817'"


@pytest.mark.parametrize(
    ("status", "shown"),
    [(400, "400 Bad Request"), (414, "414 "), (431, "431 "), (500, "500 "), (501, "400 ")],
)
def test_a_refusal_says_no_more_than_its_status(status: int, shown: str) -> None:
    head, _, body = refusal(status, {"X-Own": "1"}).decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")

    assert first.startswith(f"HTTP/1.1 {shown}")
    assert body == f"{first.partition(' ')[2].partition(' ')[2]}\n"
    assert {"X-Own: 1", "Cache-Control: no-store", f"Content-Length: {len(body)}"} <= set(lines)


def test_what_was_sent_is_not_repeated_and_the_common_headers_stand_there() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        refuse(ours, 400, "Bad Request", MESSAGE)
        answer = theirs.recv(65_536).decode()

    assert "402817" not in answer
    assert all(f"{name}: {value}\r\n" in answer for name, value in HEADERS.items())


def test_a_worker_that_keeps_quiet_answers_without_the_name_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wsgi, "Response", wsgi.Response)
    monkeypatch.setattr(util, "write_error", util.write_error)
    request = SimpleNamespace(
        version=(1, 1), method="GET", headers=[], proto=None, should_close=lambda: False
    )
    usual = wsgi.Response(request, None, SimpleNamespace(sendfile=False))
    usual.start_response("200 OK", [])

    keep_quiet()
    quiet = wsgi.Response(request, None, SimpleNamespace(sendfile=False))
    quiet.start_response("200 OK", [])

    assert wsgi.Response is NamelessResponse
    assert util.write_error is refuse
    assert [line for line in usual.default_headers() if line.startswith("Server:")]
    assert not [line for line in quiet.default_headers() if line.startswith("Server:")]
    assert len(quiet.default_headers()) == len(usual.default_headers()) - 1
