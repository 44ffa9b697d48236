from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from . import (  # noqa: F401 - they register what they know
            config,
            config_methods,
            policy_knowledge,
            stale,
        )
