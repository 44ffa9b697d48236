"""The address of the approver's page. Its token opens one question once."""

from django.urls import re_path

from .approval_views import approve

app_name = "approval"
urlpatterns = [
    re_path(r"^approve/(?P<token>[0-9a-f]{32}\.[A-Za-z0-9_-]{20,60})/$", approve, name="approve"),
]
