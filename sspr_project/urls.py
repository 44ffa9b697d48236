"""Every address of the product."""

from django.urls import include, path

from .health import healthz, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("", include("resets.portal.urls")),
]

handler400 = "sspr_project.errors.bad_request"
handler403 = "sspr_project.errors.denied"
handler404 = "sspr_project.errors.not_found"
handler500 = "sspr_project.errors.server_error"
