"""Pages for what went wrong. Each has a next step; none tells how the product is made."""

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

RETRY_SECONDS = 5


def _page(request: HttpRequest, status: int, name: str) -> HttpResponse:
    return render(request, "portal/error.html", {"kind": name, "state": "error"}, status=status)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _page(request, 400, "bad_request")


def too_large(request: HttpRequest) -> HttpResponse:
    return _page(request, 413, "too_large")


def forbidden(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, 403, "forbidden")


def denied(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _page(request, 403, "denied")


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _page(request, 404, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is handled: a database that is away is nobody's fault and over
    soon."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        response = _page(request, 503, "server_error")
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response
    return _page(request, 500, "server_error")
