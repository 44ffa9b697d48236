from django.apps import AppConfig


class ResetsConfig(AppConfig):
    name = "resets"

    def ready(self) -> None:
        from . import receivers  # noqa: F401 - listens to what the apps below report
