"""PURE. The names a password must not contain."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .terms import normalise

SHORTEST_NAME = 4

Which = Literal["given_name", "surname", "display_name", "tenant_name", "user_id"]


@dataclass(frozen=True)
class PasswordContext:
    """Whose password it is. Names may be empty; `user_id` is `name@domain`.

    operation: `reset` of a forgotten password or `change` of a known one.
    """

    user_id: str
    given_name: str
    surname: str
    display_name: str
    tenant_name: str
    operation: Literal["reset", "change"]


def forbids_current_password(context: PasswordContext) -> bool:
    """Whether the caller must compare with the current hash: a change may not keep the password,
    a reset may (Entra, password history: nobody knows the forgotten one)."""
    return context.operation == "change"


def names_in(password: str, context: PasswordContext) -> tuple[Which, ...]:
    """Which names stand in the password, in a fixed order; a term of two names is told once.

    Entra, password rules: first name, last name and tenant name, 4 characters and more, anywhere
    in the normalised password, refuse it outright; `p0LL23fb` is refused for a user named Poll.
    The user ID joins them because it is the first thing a guesser knows.

    Entra's scoring example `ContoS0Bl@nkf9!` holds only for a tenant that is not itself called
    Contoso: there this rule refuses the password before its points matter.
    """
    text = normalise(password)
    found: list[Which] = []
    told: set[str] = set()
    for which, name in _names(context):
        term = normalise(name)
        if len(term) >= SHORTEST_NAME and term in text and term not in told:
            told.add(term)
            if which not in found:
                found.append(which)
    return tuple(found)


def _names(context: PasswordContext) -> Iterator[tuple[Which, str]]:
    yield from _whole_and_words("given_name", context.given_name)
    yield from _whole_and_words("surname", context.surname)
    if context.given_name.strip() or context.surname.strip():
        yield "display_name", context.display_name.strip()
    else:
        yield from _whole_and_words("display_name", context.display_name)
    yield from _tenant_names(context.tenant_name)
    yield "user_id", _local_part(context.user_id)


def _whole_and_words(which: Which, name: str) -> Iterator[tuple[Which, str]]:
    """As written, without its signs (OBrien of O'Brien), and each word of it."""
    yield which, name.strip()
    yield which, "".join(filter(str.isalnum, name))
    for word in name.replace("-", " ").split():
        yield which, word.strip(".,()'")


def _tenant_names(name: str) -> Iterator[tuple[Which, str]]:
    """The whole name and its first long word: `Acme` of Acme Industries. The words behind it,
    Bank or University, are too general to keep out of passwords."""
    yield "tenant_name", name.strip()
    words = (word.strip(".,()'") for word in name.split())
    yield "tenant_name", next((word for word in words if len(word) >= SHORTEST_NAME), "")


def _local_part(user_id: str) -> str:
    """What stands before the @; of a guest's `bob_fabrikam.example#EXT#@…` it is `bob`."""
    local = user_id.partition("@")[0]
    home, external, _ = local.casefold().partition("#ext#")
    return (home.rpartition("_")[0] or home) if external else local
