"""The one key under which a user ID is counted, whether anybody has it or not."""

from tenants.keys import tenant_keys

from .identifiers import canonical


def person_key(user_id: str) -> bytes:
    """Keyed hash of a user ID in the tenant in force."""
    return tenant_keys().mac("person", canonical(user_id))
