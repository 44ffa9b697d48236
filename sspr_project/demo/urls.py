"""Addresses of the demo's own pages; they exist where SSPR_DEMO is on, and nowhere else."""

from django.urls import path

from . import views

app_name = "demo"
urlpatterns = [
    path("outbox/", views.outbox, name="outbox"),
    path("outbox/<uuid:message>/", views.message, name="message"),
    path("codes/", views.codes, name="codes"),
]
