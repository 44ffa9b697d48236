"""The product's addresses, the demo's, and pages that no journey reaches by itself."""

from typing import NoReturn

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from sspr_project import urls as product
from tenants.pages import page_context

MADE: dict[str, dict[str, object]] = {
    "operation": {"state": "started", "form_action": "/reset/"},
    "working": {"state": "writing", "status_url": "/healthz"},
    "done": {"state": "done", "operation": "unlock", "sign_in_url": "/", "reference": "K7M4-92QX"},
    "onwards": {"state": "onwards", "continue_url": "#main"},
    "error": {"state": "error", "kind": "too_large"},
}


def made(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, f"portal/{name}.html", page_context(request, None, **MADE[name]))


def broken(request: HttpRequest) -> NoReturn:
    raise RuntimeError("broken on purpose")


def denied(request: HttpRequest) -> NoReturn:
    raise PermissionDenied


urlpatterns = [
    *product.urlpatterns,
    path("demo/", include("sspr_project.demo.urls")),
    path("made/broken/", broken),
    path("made/denied/", denied),
    path("made/<name>/", made),
]
handler400 = product.handler400
handler403 = product.handler403
handler404 = product.handler404
handler500 = product.handler500
