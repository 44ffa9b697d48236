"""PURE. What a SCIM service's answers mean: by status and `scimType` (RFC 7644, 3.12), never by its
`detail`."""

import re
from typing import Final

from .answers import Cause

MAX_CODE: Final = 20

_BY_TYPE: dict[str, Cause] = {
    # Of the request only the password is the person's, so a wrong value is a wrong password.
    "invalidvalue": "password_rules",
    "mutability": "unsupported",
    "invalidpath": "unsupported",
    "notarget": "unsupported",
    "invalidsyntax": "unsupported",
    "sensitive": "unsupported",
}
_BY_STATUS: dict[int, Cause] = {
    401: "no_right_to_reset",
    403: "no_right_to_reset",
    404: "person_missing",
    405: "unsupported",
    # The person changed between reading and writing; nothing was done (RFC 7644, 3.14).
    412: "busy",
    429: "busy",
    501: "unsupported",
}
_TYPE: Final = re.compile(r"\A[A-Za-z]{1,40}\Z")


def cause_of_change(status: int, scim_type: str, *, comes_again: bool) -> Cause | None:
    """Why a password was not set; "" when it was, nothing when the answer does not tell.

    comes_again: the service said when to ask again, so it did nothing.
    """
    if 200 <= status < 300:
        return ""
    known = _BY_TYPE.get(scim_type.lower()) if status == 400 else _BY_STATUS.get(status)
    if known is not None:
        return known
    if status >= 500:
        return "busy" if status == 503 and comes_again else None
    return "refused"


def code_for_log(status: int, scim_type: str) -> str:
    return f"{status} {scim_type}"[:MAX_CODE] if _TYPE.match(scim_type) else str(status)
