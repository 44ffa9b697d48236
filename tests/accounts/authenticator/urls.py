"""The product's addresses with the two pages that the security info leads to."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.registration.registrable import get_registrable
from accounts.signin.person import SignedIn, for_signed_in
from sspr_project import urls as product

DONE = "/authenticator/?done"


@for_signed_in
def add(request: HttpRequest, person: SignedIn) -> HttpResponse:
    return get_registrable("app_notification").add(request, person, DONE)


@for_signed_in
def change(request: HttpRequest, person: SignedIn, entry: str) -> HttpResponse:
    return get_registrable("app_notification").change(request, person, entry, DONE)


urlpatterns = [
    path("security-info/authenticator/", add),
    path("security-info/authenticator/<str:entry>/", change),
    *product.urlpatterns,
]
handler400 = product.handler400
handler403 = product.handler403
handler404 = product.handler404
handler500 = product.handler500
