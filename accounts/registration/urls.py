"""Addresses of the security-info pages."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from tenants.policy import METHODS

from . import views, wizard


class MethodConverter(StringConverter):
    regex = "|".join(METHODS)


class EntryConverter(StringConverter):
    regex = r"[A-Za-z0-9_-]{1,64}"


class UndoTokenConverter(StringConverter):
    regex = r"[0-9a-f]{32}\.[A-Za-z0-9_-]{20,60}"


register_converter(MethodConverter, "method")
register_converter(EntryConverter, "entry")
register_converter(UndoTokenConverter, "undo_token")

app_name = "security-info"
urlpatterns = [
    path("security-info/", views.index, name="index"),
    path("security-info/register/", wizard.register, name="register"),
    path("security-info/add/<method:method>/", views.add, name="add"),
    path("security-info/change/<method:method>/<entry:entry>/", views.change, name="change"),
    path("security-info/remove/<method:method>/<entry:entry>/", views.remove, name="remove"),
    path("security-info/undo/<undo_token:token>/", views.undo, name="undo"),
]
