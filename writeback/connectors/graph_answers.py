"""PURE. What Microsoft Graph and Entra's sign-in answer: by status and code, never by words.

Graph's codes: "Microsoft Graph error responses" and the pages of the calls themselves; the numbers
of a sign-in: "Microsoft Entra authentication and authorization error codes".
"""

import re
from typing import Final

from .answers import Cause, SignIn

PASSWORD_INVALID: Final = "passwordvalidationfailed"  # noqa: S105 - a code, not a password
BAD_REQUEST: Final = "request_badrequest"
MAX_CODE: Final = 20
"""Characters of a code that a report carries."""

_CODE: Final = re.compile(r"\A[A-Za-z][A-Za-z0-9_.]{0,63}\Z")
_BY_CODE: dict[str, Cause] = {
    PASSWORD_INVALID: "password_rules",
    "authorization_requestdenied": "no_right_to_reset",
    "accessdenied": "no_right_to_reset",
    "request_resourcenotfound": "person_missing",
    "resourcenotfound": "person_missing",
}
_BY_STATUS: dict[int, Cause] = {
    401: "no_right_to_reset",
    403: "no_right_to_reset",
    404: "person_missing",
    429: "busy",
    501: "unsupported",
}
_SIGN_INS: dict[int, SignIn] = {
    50034: "wrong",
    50056: "wrong",
    50126: "wrong",
    50053: "locked",
    50055: "expired",
    50144: "expired",
    50057: "disabled",
    # Another factor is asked for once the password was right.
    50072: "right",
    50074: "right",
    50076: "right",
    50079: "right",
}


def cause_of_change(
    status: int, code: str, *, comes_again: bool, is_password_alone: bool
) -> Cause | None:
    """Why a password was not set; "" when it was, nothing when the answer does not tell.

    comes_again: the service said when to ask again, so it did nothing; is_password_alone: the
    request holds nothing else that could be wrong, so a bad one is a bad password.
    """
    if 200 <= status < 300:
        return ""
    known = _BY_CODE.get(code.lower()) or _BY_STATUS.get(status)
    if known is not None:
        return known
    if status >= 500:
        return "busy" if status == 503 and comes_again else None
    if is_password_alone and status == 400 and code.lower() == BAD_REQUEST:
        return "password_rules"
    return "refused"


def cause_of_failure(code: str) -> Cause:
    """Why an operation ended as failed. code: its `statusDetail`, which may be words: then it tells
    nothing."""
    return _BY_CODE.get(code.lower(), "refused")


def code_for_log(code: str, otherwise: str) -> str:
    """The service's own code, or something else where it gives none or writes words."""
    return code[:MAX_CODE] if _CODE.match(code) else otherwise


def answer_of_sign_in(status: int, numbers: list[object]) -> SignIn:
    """What the token endpoint says to a password. numbers: its `error_codes`."""
    if status == 200:
        return "right"
    for number in numbers:
        if isinstance(number, int) and number in _SIGN_INS:
            return _SIGN_INS[number]
    return "refused"
