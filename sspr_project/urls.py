"""Every address of the product."""

from django.conf import settings
from django.urls import include, path

from accounts.registration.well_known import passkey_endpoints
from tenants.admin import tenant_site

from .health import favicon, healthz, readyz
from .metrics import metrics
from .operator_site import operator_site

urlpatterns = [
    # Looked through from the first on: the main job comes first.
    path("", include("resets.portal.urls")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("favicon.ico", favicon),
    path(".well-known/passkey-endpoints", passkey_endpoints),
    path("admin/", tenant_site.urls),
    path("operator/", operator_site.urls),
    path("agent/v1/", include("writeback.api.urls")),
    path("", include("accounts.signin.urls")),
    path("", include("accounts.approval_urls")),
    path("", include("resets.portal.change_urls")),
    path("", include("accounts.federation.urls")),
    path("oidc/", include("accounts.oidc.urls")),
    path("", include("accounts.registration.urls")),
    path("", include("accounts.authenticator.urls")),
]
if settings.SSPR_DEMO:
    urlpatterns.append(path("demo/", include("sspr_project.demo.urls")))

handler400 = "sspr_project.errors.bad_request"
handler403 = "sspr_project.errors.denied"
handler404 = "sspr_project.errors.not_found"
handler500 = "sspr_project.errors.server_error"
