from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from . import config, policy_knowledge  # noqa: F401 - both register what they know
