from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from . import config, config_methods, policy_knowledge  # noqa: F401 - register what they know
