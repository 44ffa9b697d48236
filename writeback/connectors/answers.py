"""PURE. What Active Directory's answers mean: by result code and hexadecimal code, never by words.

Codes: [MS-ADTS] 3.1.1.3.1.5 and [MS-ERREF] 2.2; a simple bind's `data` codes are the low digits of
the same Win32 errors.
"""

import re
from typing import Literal

Cause = Literal[
    "",
    "password_rules",
    "wrong_old_password",
    "no_right_to_reset",
    "no_right_to_unlock",
    "person_missing",
    "needs_encryption",
    "unsupported",
    "busy",
    "refused",
]
SignIn = Literal[
    "right",
    "wrong",
    "must_change",
    "expired",
    "disabled",
    "account_expired",
    "not_now",
    "not_here",
    "locked",
    "refused",
]
PROVES_THE_PASSWORD: frozenset[SignIn] = frozenset(
    {"right", "must_change", "expired", "disabled", "account_expired", "not_now", "not_here"}
)
"""Active Directory compares before it says any of these; of a lock it tells without comparing."""

_HEX = re.compile(r"\A\s*([0-9A-Fa-f]{8}):")
_DATA = re.compile(r", data ([0-9a-fA-F]{1,8}),")
_BY_HEX: dict[str, Cause] = {
    "0000052D": "password_rules",
    "00000056": "wrong_old_password",
    "00002098": "no_right_to_unlock",
    "00000005": "no_right_to_reset",
    "00002030": "person_missing",
    "0000208D": "person_missing",
}
_BY_RESULT: dict[int, Cause] = {
    0: "",
    8: "needs_encryption",
    12: "unsupported",
    13: "needs_encryption",
    32: "person_missing",
    50: "no_right_to_reset",
    51: "busy",
    52: "busy",
}
_BINDS: dict[str, SignIn] = {
    "52e": "wrong",
    "525": "wrong",
    "530": "not_now",
    "531": "not_here",
    "532": "expired",
    "533": "disabled",
    "701": "account_expired",
    "773": "must_change",
    "775": "locked",
}
INVALID_CREDENTIALS = 49


def cause_of_change(result: int, message: str) -> Cause:
    """Why setting or unlocking failed; "" when it did not.

    0000052D comes with result 19 or, from Windows on a reset, 53; so the hexadecimal code wins over
    the result, except that a success is one whatever it says.
    """
    if result == 0:
        return ""
    found = _HEX.match(message)
    known = _BY_HEX.get(found[1].upper()) if found else None
    return known or _BY_RESULT.get(result, "refused")


def answer_of_bind(result: int, message: str) -> SignIn:
    """What a bind says about a person and the password that was tried."""
    if result == 0:
        return "right"
    found = _DATA.search(message) if result == INVALID_CREDENTIALS else None
    return _BINDS.get(found[1].lower(), "refused") if found else "refused"
