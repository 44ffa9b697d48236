"""Which organisation a start is meant for."""

from uuid import UUID

from accounts.identifiers import find_domain
from accounts.people import guest_lookup
from tenants.lookup import find_tenant, tenants_of_guest
from tenants.services import get_platform


def find_meant(wanted: str, host_tenant: UUID | None, organisation: str) -> UUID | None:
    """The tenant that is meant; nothing when the organisation has to be asked for.

    A tenant's own host decides alone. On the shared host the domain of the user ID does, then the
    registered emails of guests. Somebody nobody knows belongs to the installation itself.
    """
    if host_tenant is not None:
        return host_tenant
    domain = find_domain(wanted)
    owner = find_tenant(domain=domain) if domain else None
    if owner is not None:
        return owner
    knowing = tenants_of_guest(guest_lookup(wanted)) if "@" in wanted and wanted.isascii() else []
    if organisation:
        named = find_organisation(organisation)
        return named if named in knowing else get_platform()
    if len(knowing) > 1:
        return None
    return knowing[0] if knowing else get_platform()


def find_organisation(typed: str) -> UUID | None:
    """The tenant of a web address, domain or short name, as somebody writes it."""
    text = typed.strip().lower().removeprefix("https://").removeprefix("http://").strip("/ @")
    if not text.isascii() or not text or len(text) > 253 or "\x00" in text:
        return None
    for kind in ("host", "domain", "slug"):
        found = find_tenant(**{kind: text})
        if found is not None:
            return found
    return None
