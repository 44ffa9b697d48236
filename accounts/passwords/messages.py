"""The words for a refused password, and the requirements shown before one is typed."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from django.utils.translation import gettext, ngettext

from .rules import CLASSES_NEEDED, Code, PasswordRules, Violation

Params = Mapping[str, int | str]


class Requirement(NamedTuple):
    """One line of the live list; the key tells the browser which check ticks it."""

    key: Literal["length", "characters", "classes", "names", "common", "history"]
    text: str


def message(violation: Violation) -> str:
    """One or two short sentences in the active language: what is wrong, what to do."""
    return _MESSAGES[violation.code](violation.params)


def requirements(rules: PasswordRules) -> list[Requirement]:
    """What the page asks for, in the active language, in the order in which `check` looks."""
    listed = [Requirement("length", at_least(rules.shortest))]
    if rules.rules == "entra":
        listed.append(Requirement("characters", _ascii_only()))
        listed.append(Requirement("classes", classes(CLASSES_NEEDED)))
    listed.append(Requirement("names", gettext("Leave out your name and your organisation's name")))
    listed.append(Requirement("common", gettext("Avoid passwords that are easy to guess")))
    return listed


def at_least(minimum: int) -> str:
    text = ngettext(
        "Use %(minimum)d character or more", "Use %(minimum)d characters or more", minimum
    )
    return text % {"minimum": minimum}


def _too_short(params: Params) -> str:
    minimum, length = int(params["min"]), int(params["length"])
    text = ngettext(
        "Use %(minimum)d character or more. Yours has %(length)d",
        "Use %(minimum)d characters or more. Yours has %(length)d",
        minimum,
    )
    return text % {"minimum": minimum, "length": length}


def _too_long(params: Params) -> str:
    maximum = int(params["max"])
    text = ngettext(
        "Use %(maximum)d character or fewer", "Use %(maximum)d characters or fewer", maximum
    )
    return text % {"maximum": maximum}


def _ascii_only() -> str:
    return gettext("Use only letters from A to Z, numbers, spaces and common symbols")


def _character_not_allowed(params: Params) -> str:
    if params["allowed"] == "ascii":
        return _ascii_only()
    return gettext("Leave out characters that cannot be seen, like tabs or line breaks")


def classes(needed: int) -> str:
    text = ngettext(
        "Use %(needed)d of these: small letters, capital letters, numbers, symbols",
        "Use at least %(needed)d of these: small letters, capital letters, numbers, symbols",
        needed,
    )
    return text % {"needed": needed}


def _too_few_classes(params: Params) -> str:
    needed, found = int(params["needed"]), int(params["found"])
    text = ngettext(
        "Use %(needed)d of these: small letters, capital letters, numbers, symbols. "
        "Yours has %(found)d",
        "Use at least %(needed)d of these: small letters, capital letters, numbers, symbols. "
        "Yours has %(found)d",
        needed,
    )
    return text % {"needed": needed, "found": found}


def _contains_name(params: Params) -> str:
    texts = {
        "given_name": gettext("Leave out your first name"),
        "surname": gettext("Leave out your last name"),
        "display_name": gettext("Leave out your name"),
        "tenant_name": gettext("Leave out your organisation's name"),
        "user_id": gettext("Leave out your user ID"),
    }
    return texts[str(params["which"])]


def _banned(params: Params) -> str:
    if params["source"] == "custom":
        return gettext(
            "This password uses words that your organisation does not allow. "
            "Choose a different one, or add more to it"
        )
    return gettext(
        "This password is easy to guess because it uses common words. "
        "Choose a different one, or add more to it"
    )


def _too_common(params: Params) -> str:
    return gettext(
        "This password is easy to guess because many people use one like it. Choose a different one"
    )


def _breached(params: Params) -> str:
    return gettext(
        "This password is easy to guess because it has appeared in a data breach. "
        "Choose a different one"
    )


def _reused(params: Params) -> str:
    return gettext("You've used this password before. Choose a new one")


_MESSAGES: dict[Code, Callable[[Params], str]] = {
    "too_short": _too_short,
    "too_long": _too_long,
    "character_not_allowed": _character_not_allowed,
    "too_few_classes": _too_few_classes,
    "contains_name": _contains_name,
    "banned": _banned,
    "too_common": _too_common,
    "breached": _breached,
    "reused": _reused,
}
