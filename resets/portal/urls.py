"""Addresses of the portal. No address holds a secret; a journey's id opens nothing by itself."""

from django.urls import path, re_path, register_converter
from django.urls.converters import StringConverter

from . import aid, guests, rehearsal, steps, views


class TokenConverter(StringConverter):
    regex = r"[0-9a-f]{32}\.[A-Za-z0-9_-]{20,60}"


register_converter(TokenConverter, "token")

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("reset/", views.start, name="start"),
    path("reset/wait/", views.wait, name="wait"),
    path("reset/organisation/", views.organisation, name="organisation"),
    path("reset/<uuid:flow>/", steps.flow, name="flow"),
    path("reset/<uuid:flow>/choose/", steps.choose, name="choose"),
    path("reset/<uuid:flow>/send/", steps.send, name="send"),
    path("reset/<uuid:flow>/verify/", steps.verify, name="verify"),
    path("reset/<uuid:flow>/waiting/", steps.waiting, name="waiting"),
    path("reset/<uuid:flow>/status/", steps.status, name="status"),
    path("reset/<uuid:flow>/operation/", steps.operation, name="operation"),
    path("reset/<uuid:flow>/submit/", steps.submit, name="submit"),
    path("reset/<uuid:flow>/cancel/", steps.cancel, name="cancel"),
    path("security-info/test/", rehearsal.rehearse, name="rehearse"),
    path("help/", aid.help_request, name="help"),
    path("sign-up/", guests.sign_up_page, name="sign_up"),
    path("invitation/<token:token>/", guests.invitation, name="invitation"),
    path("not-me/<token:token>/", aid.not_me, name="not_me"),
    re_path(r"^theme/(?P<color>[0-9a-f]{6})\.css$", aid.theme, name="theme"),
]
