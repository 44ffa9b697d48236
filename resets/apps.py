from django.apps import AppConfig


class ResetsConfig(AppConfig):
    name = "resets"

    def ready(self) -> None:
        from . import receivers, registration_knowledge  # noqa: F401 - they say what they know
