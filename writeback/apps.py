from django.apps import AppConfig


class WritebackConfig(AppConfig):
    name = "writeback"

    def ready(self) -> None:
        from . import (  # noqa: F401 - they register what they know
            config,
            config_reminders,
            policy_knowledge,
            receivers,
        )
        from .services import ordering  # noqa: F401 - says what an ordered job rests on
