from django.apps import AppConfig


class ResetsConfig(AppConfig):
    name = "resets"

    def ready(self) -> None:
        from . import registration_knowledge  # noqa: F401 - registers what it knows
