"""Addresses of the sign-in."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from . import passkey

app_name = "sign-in"


def _not_yet(request: HttpRequest) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("sign-in/", _not_yet, name="sign-in"),
    path("sign-in/passkey/", passkey.passkey, name="passkey"),
    path("sign-in/prove/", _not_yet, name="prove"),
]
