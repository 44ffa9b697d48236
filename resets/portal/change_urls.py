"""Addresses of changing a known password."""

from django.urls import path

from . import change, directory_change

app_name = "password"
urlpatterns = [
    path("change-password/", change.change, name="change"),
    path("change-password/<uuid:change>/", directory_change.changing, name="changing"),
    path("change-password/<uuid:change>/status/", directory_change.status, name="status"),
    path(".well-known/change-password", change.well_known, name="well-known"),
]
