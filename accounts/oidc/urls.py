"""Addresses of the OpenID Connect provider. The issuer is the site with `/oidc` behind it."""

from django.urls import path

from . import endpoints, leaving, views

app_name = "oidc"
urlpatterns = [
    path(".well-known/openid-configuration", endpoints.configuration, name="configuration"),
    path("keys/", endpoints.keys, name="keys"),
    path("authorize/", views.authorize, name="authorize"),
    path("answer/", views.answer, name="answer"),
    path("token/", endpoints.token, name="token"),
    path("userinfo/", endpoints.userinfo, name="userinfo"),
    path("revoke/", endpoints.revoke, name="revoke"),
    path("logout/", leaving.logout, name="logout"),
    path("leave/", leaving.leave, name="leave"),
]
