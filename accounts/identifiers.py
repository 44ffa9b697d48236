"""PURE. User IDs: the one form in which a person is looked up (security, enumeration rules).

A user ID is ASCII. Anything else is not folded into a match: it stays an ID that nobody has.
"""

import re

MAX_LENGTH = 113
MAX_LOCAL = 64
MAX_DOMAIN = 48
_LOCAL = re.compile(r"[A-Za-z0-9'._!#^~-]+")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


def canonical(text: str) -> str:
    """Spaces around it and the case of ASCII letters do not matter; nothing else is changed."""
    trimmed = text.strip(" ")
    return trimmed.lower() if trimmed.isascii() else trimmed


def find_domain(user_id: str) -> str | None:
    """The domain of a well-formed canonical user ID, or nothing."""
    local, at, domain = user_id.rpartition("@")
    well_formed = (
        at == "@"
        and len(user_id) <= MAX_LENGTH
        and len(local) <= MAX_LOCAL
        and len(domain) <= MAX_DOMAIN
        and not local.endswith(".")
        and _LOCAL.fullmatch(local) is not None
        and _DOMAIN.fullmatch(domain) is not None
    )
    return domain if well_formed else None


def is_user_id(text: str) -> bool:
    return find_domain(canonical(text)) is not None


def canonical_mailbox(address: str) -> str:
    """A mailbox as an anchor: case folded, the part after a plus left out."""
    local, _, domain = address.strip().casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def mailbox_domain(address: str) -> str:
    return address.strip().casefold().rpartition("@")[2]
