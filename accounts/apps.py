from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from . import config, policy_knowledge, stale  # noqa: F401 - they register what they know
