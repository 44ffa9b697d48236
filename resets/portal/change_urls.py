"""Addresses of changing a known password."""

from django.urls import path

from . import change

app_name = "password"
urlpatterns = [
    path("change-password/", change.change, name="change"),
    path(".well-known/change-password", change.well_known, name="well-known"),
]
