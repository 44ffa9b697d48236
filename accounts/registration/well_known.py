"""Where password managers find the pages for passkeys (W3C, passkey endpoints)."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from tenants.pages import site_of


@require_safe
def passkey_endpoints(request: HttpRequest) -> HttpResponse:
    """`enroll` leads to making one, `manage` to those that were made."""
    site = site_of(request)
    return JsonResponse(
        {
            "enroll": site + reverse("security-info:add", args=["passkey"]),
            "manage": site + reverse("security-info:index"),
        }
    )
