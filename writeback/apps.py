from django.apps import AppConfig


class WritebackConfig(AppConfig):
    name = "writeback"

    def ready(self) -> None:
        from .services import ordering  # noqa: F401 - says what an ordered job rests on
