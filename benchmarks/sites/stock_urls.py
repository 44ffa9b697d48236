"""Django's own views, allauth's, and the yardstick."""

from django.contrib import admin
from django.urls import include, path

from .yardstick import pingdb

urlpatterns = [
    path("pingdb/", pingdb),
    path("stock/", include("django.contrib.auth.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
