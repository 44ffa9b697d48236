from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "sspr_project"

    def ready(self) -> None:
        from .database import watch_connections

        watch_connections()
