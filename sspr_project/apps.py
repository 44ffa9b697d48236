from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "sspr_project"
