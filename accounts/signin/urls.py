"""Addresses of the sign-in."""

from django.urls import path

from . import passkey, prove_views, session_views, views

app_name = "sign-in"

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/out/", session_views.sign_out, name="out"),
    path("sign-in/sessions/", session_views.sessions, name="sessions"),
    path("sign-in/sessions/end/", session_views.end_one, name="end-session"),
    path("sign-in/sessions/end-others/", session_views.end_others, name="end-other-sessions"),
    path("sign-in/prove/", prove_views.prove, name="prove"),
    path("sign-in/prove/choose/", prove_views.choose, name="prove-choose"),
    path("sign-in/prove/send/", prove_views.send, name="prove-send"),
    path("sign-in/prove/verify/", prove_views.verify, name="prove-verify"),
    path("sign-in/passkey/", passkey.passkey, name="passkey"),
]
