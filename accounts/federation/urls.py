"""Addresses of signing in at other services."""

from django.urls import path

from . import views

app_name = "federation"
urlpatterns = [
    path("sign-in/with/<slug:slug>/", views.start, name="start"),
    path("sign-in/with/<slug:slug>/prove/", views.prove, name="prove"),
    path("sign-in/with/<slug:slug>/callback/", views.callback, name="callback"),
    path("sign-in/with/<slug:slug>/link/", views.link, name="link"),
]
