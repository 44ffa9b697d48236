"""The whole file: our own sections and those that other apps registered."""

from typing import Any

from . import groups_section, policy_section, tenant_section
from .sections import Section, registered
from .shapes import Table

ORDER = (
    "tenant",
    "helpdesk",
    "branding",
    "policy",
    "password",
    "limits",
    "connectors",
    "reminders",
    "groups",
    "users",
    "guests",
)
"""How a file is written; sections that are not named here come last."""


def sections() -> tuple[Section, ...]:
    """In the order in which they write: the tenant first, people after what they refer to."""
    own = (tenant_section.SECTION, groups_section.SECTION, policy_section.SECTION)
    return (*own, *registered())


def whole_file() -> Table:
    """The shape of a whole file."""
    found = {name: key for section in sections() for name, key in section.keys.items()}
    return Table({name: found[name] for name in in_order(found)})


def in_order(names: Any) -> list[str]:
    known = [name for name in ORDER if name in names]
    return known + sorted(set(names) - set(ORDER))


def json_schema() -> dict[str, Any]:
    """JSON Schema of a file, draft 2020-12; dates are texts."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Self-service password reset: one tenant",
        **whole_file().json_schema(),
    }
