"""Changing what a tenant says about itself: name, languages, disclosure, help desk, branding."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from . import audit
from .audit import Party
from .config.shapes import faults
from .config.tenant_section import COLUMNS, TABLES, is_language, language_fix, look_problems
from .invalid import Invalid
from .models import Tenant
from .policy import Problem

SETTINGS = ("name", "languages", "disclosure", "reveal_reason", "guest_sign_up")
"""Keys of the section tenant that the tenant's own administrators change."""
_KEYS = {
    **{COLUMNS["tenant"][name]: ("tenant", name) for name in SETTINGS},
    **{
        column: (section, name)
        for section in ("helpdesk", "branding")
        for name, column in COLUMNS[section].items()
    },
}
"""Column → section and key of a file."""


def settings_problems(wanted: Mapping[str, Any]) -> list[Problem]:
    """What keeps these columns from being saved; `wanted` holds any of those that can be."""
    found = list(_shape_problems(wanted))
    for tag in wanted.get("languages", ()):
        if not is_language(tag):
            found.append(Problem("languages", "language", language_fix()))
            break
    values = {_KEYS[column]: value for column, value in wanted.items()}
    for (section, name), fix in look_problems(values):
        found.append(Problem(COLUMNS[section][name], "look", fix))
    return found


def _shape_problems(wanted: Mapping[str, Any]) -> Iterable[Problem]:
    for column, value in wanted.items():
        section, name = _KEYS[column]
        for _, fix in faults(TABLES[section].keys[name].shape, value):
            yield Problem(column, "shape", fix)


def change_settings(wanted: Mapping[str, Any], *, by: Party, now: datetime) -> tuple[str, ...]:
    """Stores the columns that differ and names them in the trail; returns their names.

    Raises Invalid.
    """
    found = settings_problems(wanted)
    if found:
        raise Invalid(found)
    tenant = Tenant.objects.select_for_update(no_key=True).get()
    changed = []
    for column, value in wanted.items():
        stored = list(value) if isinstance(value, tuple) else value
        if getattr(tenant, column) != stored:
            setattr(tenant, column, stored)
            changed.append(column)
    if changed:
        tenant.save(update_fields=changed)
        audit.record("settings.changed", actor=by, data={"fields": changed}, now=now)
    return tuple(changed)
