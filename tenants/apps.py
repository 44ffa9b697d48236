from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers the system checks
        from .front import forget_fronts
        from .models import Host, Tenant
        from .runtime_role import grant_to_runtime

        post_migrate.connect(_after_migrate, sender=self, weak=False)
        for model in (Tenant, Host):
            post_save.connect(forget_fronts, sender=model)
            post_delete.connect(forget_fronts, sender=model)
        self.grant = grant_to_runtime


def _after_migrate(sender: Any, using: str, **kwargs: Any) -> None:
    sender.grant(using)
