"""System check: no table is on the site but through the wall (R-4)."""

from typing import Any

from django.contrib.admin import AdminSite
from django.core import checks

from ..models import Tenant
from ..scoping import TenantModel
from .base import TenantModelAdmin
from .intents import EditableAdmin
from .site import tenant_site


@checks.register(checks.Tags.security)
def every_table_is_behind_the_wall(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    return site_errors(tenant_site)


def site_errors(site: AdminSite) -> list[checks.CheckMessage]:
    """What on the site is shown around the wall: a foreign admin class, or a table of no tenant."""
    errors: list[checks.CheckMessage] = []
    # Django offers no public way to go over what is registered.
    for model, model_admin in site._registry.items():
        label = model._meta.label
        if not isinstance(model_admin, TenantModelAdmin):
            errors.append(
                checks.Error(f"{label} is administered without TenantModelAdmin", id="sspr.E006")
            )
        if not (issubclass(model, TenantModel) or model is Tenant):
            errors.append(
                checks.Error(f"{label} has no tenant and can't be on the site", id="sspr.E007")
            )
        if isinstance(model_admin, EditableAdmin):
            errors += _choice_errors(label, model_admin)
    return errors


def _choice_errors(label: str, model_admin: EditableAdmin) -> list[checks.CheckMessage]:
    """Fields of its forms that would offer rows which no manager scopes."""
    own = [model_admin.adder, model_admin.editor, *model_admin.intents, *model_admin.list_intents]
    fields = {
        (intent.key, name): getattr(field, "queryset", None)
        for intent in own
        if intent is not None
        for name, field in intent.form.base_fields.items()
    }
    return [
        checks.Error(f"{label}: {key}.{name} offers rows of no tenant", id="sspr.E008")
        for (key, name), rows in fields.items()
        if rows is not None and not issubclass(rows.model, TenantModel)
    ]
