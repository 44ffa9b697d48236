"""Every address of the product, and the yardstick."""

from django.urls import include, path

from .yardstick import pingdb

urlpatterns = [path("pingdb/", pingdb), path("", include("sspr_project.urls"))]

handler400 = "sspr_project.errors.bad_request"
handler403 = "sspr_project.errors.denied"
handler404 = "sspr_project.errors.not_found"
handler500 = "sspr_project.errors.server_error"
