"""PURE. Permanent ids of accounts, as people write them."""

import re

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GUID_KINDS = frozenset({"active_directory", "entra_id"})
NOT_A_GUID = (
    "Write the account's objectGUID, like 6f0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b01; a name or a place"
    " in the directory may change."
)
NOT_PLAIN = "Write the permanent id without blanks around it."


def canonical_anchor(kind: str, anchor: str) -> str:
    """The one way in which an id of this kind of directory is kept."""
    return anchor.lower() if kind in _GUID_KINDS else anchor


def anchor_problem(kind: str, anchor: str) -> str:
    """Why a directory of this kind can have no account of this id; "" when it may."""
    if kind in _GUID_KINDS:
        return "" if _GUID.fullmatch(anchor) else NOT_A_GUID
    return "" if anchor == anchor.strip() else NOT_PLAIN
