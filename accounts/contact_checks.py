"""Whether an address or a number can be kept: the same for policy as code and for imports."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from .numbers import BadNumber, extension_of, stored_number


def contact_problem(key: str, value: str) -> str | None:
    """What to write instead, for a value that can't be kept. `key` ends in `phone` or `email`."""
    return _phone_problem(key, value) if key.endswith("phone") else _email_problem(value)


def _phone_problem(key: str, value: str) -> str | None:
    try:
        stored_number(value)
    except BadNumber as problem:
        return str(problem)
    if key == "mobile_phone" and extension_of(value):
        return "A mobile number has no extension."
    return None


def _email_problem(value: str) -> str | None:
    try:
        validate_email(value)
    except ValidationError:
        return "Write an address like alice@example.net."
    return None
