"""What a directory says, in words for the person: its rules, why it refused, what is done where."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.passwords.messages import Requirement, at_least, classes
from accounts.passwords.rules import CLASSES_NEEDED
from tenants.limits import MAX_PASSWORD
from writeback.connectors.base import DirectoryRules

from ..models import UNLOCK
from ..services.reading import Landing

_REMARKS: Mapping[str, object] = {
    "password_rules": _(
        "Your organisation's directory does not accept this password. It may be too short, too "
        "simple, or one that you used before. Choose another one"
    ),
    "not_changed": _(
        "Nothing was changed: your organisation's sign-in system did not answer in time. Try again"
    ),
}
_CANNOT = _("The password of this account can't be changed here. Your administrator can help you.")
_FAILURES: Mapping[str, object] = {
    "protected": _(
        "This account is protected, so its password can't be changed here. Your administrator can "
        "help you."
    ),
    "person_disabled": _(
        "This account is disabled in your organisation's directory. Your administrator can help "
        "you."
    ),
    "account_ended": _(
        "This account has expired in your organisation's directory. Your administrator can help "
        "you."
    ),
    "held": _(
        "Too many passwords are being changed in your organisation right now. Nothing was changed. "
        "Try again in an hour, or get help."
    ),
    "superseded": _(
        "Somebody else changed the password of this account at the same time, so yours is not in "
        "force. Start again, or get help if it was not you."
    ),
    "no_right_to_unlock": _(
        "This account can't be unlocked here. Nothing was changed. Your administrator can help you."
    ),
    "password_rules": _(
        "Your organisation's directory accepted none of these passwords. Your password is the same "
        "as before."
    ),
    "no_right_to_reset": _CANNOT,
    "outside_places": _CANNOT,
    "person_missing": _CANNOT,
    "unsupported": _CANNOT,
}


def directory_requirements(rules: DirectoryRules) -> list[Requirement]:
    """The directory's rules as a person can keep them, in the active language."""
    found = []
    if rules.min_length:
        found.append(Requirement("length", at_least(rules.min_length)))
    if rules.complexity:
        found.append(Requirement("classes", classes(CLASSES_NEEDED)))
        found.append(Requirement("names", gettext("Leave out your name and your user ID")))
    if rules.history:
        text = ngettext(
            "Choose one that differs from your last password",
            "Choose one that differs from your last %(count)d passwords",
            rules.history,
        )
        found.append(Requirement("history", text % {"count": rules.history}))
    return found


def directory_form(rules: DirectoryRules) -> dict[str, Any]:
    """What the form of a password that a directory judges is given: its rules as it told them."""
    shortest = rules.min_length or 1
    return {
        "requirements": directory_requirements(rules),
        "min_length": shortest,
        "rule_set": "directory",
        "password_rules_attr": f"minlength: {shortest}; maxlength: {MAX_PASSWORD};",
    }


def remark(reason: str) -> str:
    """Why the person is back at this step; nothing when they are here for the first time."""
    return str(_REMARKS.get(reason, ""))


def failure(reason: str, operation: str) -> str:
    """Why it ended, where there is more to say than that it did; of an unlock nothing about
    passwords."""
    known = _FAILURES.get(reason, "")
    return "" if operation == UNLOCK and reason == "password_rules" else str(known)


def landed_texts(landed: Sequence[Landing]) -> list[str]:
    """What is true where, when it is not the same everywhere (R-24)."""
    return [_landed(landing, alone=len(landed) == 1) for landing in landed]


def _landed(landing: Landing, *, alone: bool) -> str:
    if landing.outcome == "succeeded" and landing.unlocked is not False:
        return gettext("%(directory)s: done") % {"directory": landing.connector}
    if landing.outcome == "succeeded":
        text = gettext("Your account is still locked. Your administrator can unlock it.")
        return text if alone else f"{landing.connector}: {text}"
    text = gettext("%(directory)s: not changed, the password there is the same as before")
    return text % {"directory": landing.connector}
