from django.urls import path

from . import views

app_name = "agent"
urlpatterns = [
    path("enrol", views.enrol, name="enrol"),
    path("heartbeat", views.heartbeat, name="heartbeat"),
    path("jobs/next", views.next_job, name="next"),
    path("jobs/<uuid:job>/result", views.result, name="result"),
]
