"""PURE of Django. Which numbers a code may be sent to: fraud pays where a message is dear."""

from collections.abc import Collection
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberType

from .numbers import BadNumber, e164

Problem = Literal["premium_rate", "no_country", "country"]
_DEAR = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
_NOWHERE = "001"


def destination_problem(number: str, countries: Collection[str]) -> Problem | None:
    """Why nothing is sent to a number on file; None when it may be.

    Numbers whose caller pays extra and numbers of no country (satellites, worldwide networks) are
    refused always, others where `countries` (ISO codes) leave theirs out; without any all count.
    """
    try:
        parsed = phonenumbers.parse(e164(number), None)
    except (BadNumber, phonenumbers.NumberParseException):
        return "no_country"
    found = countries_of(parsed)
    if not found:
        return "no_country"
    if phonenumbers.number_type(parsed) in _DEAR:
        return "premium_rate"
    return "country" if countries and not set(found) & set(countries) else None


def countries_of(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    """Whose number it is. One that no range knows may be new: it stands for the main country of
    its calling code."""
    region = phonenumbers.region_code_for_number(number)
    found = region or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return () if found in {_NOWHERE, phonenumbers.UNKNOWN_REGION} else (found,)
