"""Addresses of the authenticator. Its service worker governs everything below /authenticator/."""

from django.urls import path, re_path

from . import api, pages

app_name = "authenticator"
urlpatterns = [
    path("authenticator/", pages.app, name="app"),
    path("authenticator/enrol/", pages.enrol, name="enrol"),
    path("authenticator/offline/", pages.offline, name="offline"),
    path("authenticator/sw.js", pages.worker, name="worker"),
    path("authenticator/manifest.webmanifest", pages.manifest, name="manifest"),
    re_path(
        r"^authenticator/(?P<token>[0-9a-f]{32}\.[\w-]+)\.webmanifest$",
        pages.manifest_of,
        name="manifest_of",
    ),
    path("authenticator/setting-up/", pages.setting_up, name="setting_up"),
    path("authenticator/api/enrol/", api.enrolment, name="api_enrol"),
    path("authenticator/api/pending/", api.pending, name="api_pending"),
    path("authenticator/api/decide/", api.decision, name="api_decide"),
    path("authenticator/api/alerts/", api.alerts, name="api_alerts"),
]
