"""PURE. What OpenLDAP's answers mean, with and without its password policy, and the two values that
stand in its requests: by number, never by words.

Requests: RFC 3062 (password modify); controls: draft-behera-ldap-password-policy-10, 6.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final, Literal

from .answers import Cause, SignIn

PASSWORD_MODIFY: Final = "1.3.6.1.4.1.4203.1.11.1"  # noqa: S105 - an object identifier
PASSWORD_POLICY: Final = "1.3.6.1.4.1.42.2.27.8.5.1"  # noqa: S105 - an object identifier
LOCKED_FOR_GOOD: Final = "000001010000Z"
"""`pwdAccountLockedTime` of somebody whom an administrator locked out."""
_SAME_CHANGE: Final = timedelta(seconds=2)
"""How long after the time of a password the entry's own change number may be taken."""

Step = Literal["set", "unlock"]


class PolicyError(IntEnum):
    """The numbers of the control's `error`."""

    EXPIRED = 0
    LOCKED = 1
    CHANGE_AFTER_RESET = 2
    CHANGE_NOT_ALLOWED = 3
    OLD_PASSWORD_MISSING = 4
    QUALITY = 5
    TOO_SHORT = 6
    TOO_YOUNG = 7
    IN_HISTORY = 8
    TOO_LONG = 9


_BY_POLICY: dict[int, Cause] = {
    PolicyError.CHANGE_NOT_ALLOWED: "no_right_to_reset",
    PolicyError.OLD_PASSWORD_MISSING: "wrong_old_password",
    PolicyError.QUALITY: "password_rules",
    PolicyError.TOO_SHORT: "password_rules",
    PolicyError.TOO_YOUNG: "password_rules",
    PolicyError.IN_HISTORY: "password_rules",
    PolicyError.TOO_LONG: "password_rules",
}
_BY_RESULT: dict[int, Cause] = {
    # A server that knows no such operation calls it an error of the protocol.
    2: "unsupported",
    8: "needs_encryption",
    12: "unsupported",
    13: "needs_encryption",
    16: "unsupported",
    17: "unsupported",
    19: "password_rules",
    32: "person_missing",
    50: "no_right_to_reset",
    51: "busy",
    52: "busy",
}
_OF_UNLOCKING: dict[Cause, Cause] = {
    "no_right_to_reset": "no_right_to_unlock",
    "password_rules": "refused",
}
SUCCESS: Final = 0
INVALID_CREDENTIALS: Final = 49


@dataclass(frozen=True)
class Policy:
    """What the control says. error: nothing where it says none."""

    error: int | None = None


def cause_of_change(result: int, policy: Policy, step: Step = "set") -> Cause:
    """Why a password was not set, or a lock not lifted; "" when it was."""
    if result == SUCCESS:
        return ""
    known = _BY_POLICY.get(policy.error) if policy.error is not None else None
    if known is None:
        known = _BY_RESULT.get(result, "refused")
    return _OF_UNLOCKING.get(known, known) if step == "unlock" else known


def answer_of_bind(result: int, policy: Policy) -> SignIn:
    """What a bind says about a person and the password that was tried.

    Of a lock it tells without comparing; of an expired password and of one that has to be changed
    only after the password was right.
    """
    if result == SUCCESS:
        return "must_change" if policy.error == PolicyError.CHANGE_AFTER_RESET else "right"
    if result != INVALID_CREDENTIALS:
        return "refused"
    if policy.error == PolicyError.LOCKED:
        return "locked"
    return "expired" if policy.error == PolicyError.EXPIRED else "wrong"


def code_for_log(result: int, policy: Policy) -> str:
    """The result, and the policy's number where there is one: `19/8`."""
    return str(result) if policy.error is None else f"{result}/{policy.error}"


def policy_read(value: object) -> Policy:
    """The control's value as a server sends it; an empty one for what is none."""
    if not isinstance(value, bytes):
        return Policy()
    for tag, content in _parts(value):
        if tag == 0x30:
            errors = [part for number, part in _parts(content) if number == 0x81 and part]
            return Policy(int.from_bytes(errors[0], "big")) if errors else Policy()
    return Policy()


def password_modify(person: str, new: str, old: str | None = None) -> bytes:
    """The value of a request to set a password. person: a distinguished name."""
    parts = _part(0x80, person.encode())
    if old is not None:
        parts += _part(0x81, old.encode())
    return _part(0x30, parts + _part(0x82, new.encode()))


def time_read(text: str) -> datetime | None:
    """A generalized time of UTC, with parts of a second or without; nothing for anything else."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if not text.endswith("Z") or not whole.isdecimal() or len(whole) != 14:
        return None
    if fraction and not fraction.isdecimal():
        return None
    try:
        found = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found.replace(microsecond=int(fraction[:6].ljust(6, "0")))


def version_read(changed_at: str, change_number: str, *, has_policy: bool) -> int:
    """A number that grows with each change of a password: microseconds of its time.

    changed_at: `pwdChangedTime`, which counts whole seconds; change_number: `entryCSN`, which every
    change of the entry moves. Where the last change of the entry may be that of the password, its
    parts of the second count too, so that two changes in one second are two. slapd takes the number
    a moment after the time, so it may be of the next second. What grew with something else costs
    one sign-in more, which tells whose password it is.
    Without a policy nobody writes the first, and each change of the entry counts: then a version
    that grew is no proof of another password, while one that did not still is a proof of none.
    """
    entry = time_read(change_number.partition("#")[0])
    password = time_read(changed_at) if has_policy else entry
    if password is None:
        return 0
    if entry is not None and password < entry < password + _SAME_CHANGE:
        password = entry
    return round(password.timestamp() * 1_000_000)


def _part(tag: int, content: bytes) -> bytes:
    """Tag, length, content, as BER has it."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _parts(value: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each part; nothing from where it is none on."""
    while len(value) >= 2:
        tag, size, begins = value[0], value[1], 2
        if size >= 0x80:
            begins += size & 0x7F
            size = int.from_bytes(value[2:begins], "big")
        if len(value) < begins + size:
            return
        yield tag, value[begins : begins + size]
        value = value[begins + size :]
