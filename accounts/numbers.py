"""PURE of Django. Phone numbers as the product keeps and dials them."""

import unicodedata

import phonenumbers

MAX_TYPED = 40


class BadNumber(ValueError):
    """A text that is not a phone number. `fix` says what to write instead."""

    fix = 'Write "+", the country code, one space and the number, for example +1 4255550101.'


def stored_number(text: str) -> str:
    """`+1 4255550101` or `+1 4255550100x123`: exactly one space, after the country code.

    Accepts exactly that form (Entra, phone methods). Raises BadNumber.
    """
    number, _, extension = text.partition("x")
    country, space, rest = number.partition(" ")
    if not (country.startswith("+") and space and rest.isascii() and rest.isdigit()):
        raise BadNumber(BadNumber.fix)
    if "x" in text and not (extension.isascii() and extension.isdigit() and len(extension) <= 10):
        raise BadNumber("Write the extension as digits after an x, for example x123.")
    parsed = _parse(number)
    if f"+{parsed.country_code}" != country:
        raise BadNumber(BadNumber.fix)
    return text


def written_number(text: str) -> str:
    """The form in which a number is kept, for one that a person wrote with `+` and its country
    code, with blanks, brackets or dashes: `+1 (425) 555-0101` is `+1 4255550101`. Raises BadNumber.
    """
    if len(text) > MAX_TYPED:
        raise BadNumber(BadNumber.fix)
    try:
        return stored_number(text)
    except BadNumber:
        number, mark, extension = _ascii_digits(text).partition("x")
    parsed = _parse(number)
    digits = phonenumbers.national_significant_number(parsed)
    return stored_number(f"+{parsed.country_code} {digits}{mark}{extension.strip()}")


def local_number(text: str, region: str) -> str:
    """The form in which a number is kept, for one written as in its country (ISO 3166-1), or with
    `+` and any country code. Raises BadNumber."""
    if len(text) > MAX_TYPED:
        raise BadNumber(BadNumber.fix)
    parsed = _parse(_ascii_digits(text), region or None)
    digits = phonenumbers.national_significant_number(parsed)
    return stored_number(f"+{parsed.country_code} {digits}")


def calling_code(region: str) -> int:
    """What numbers of a country begin with after the `+`; 0 for an unknown one."""
    found: int = phonenumbers.country_code_for_region(region)
    return found


def e164(text: str) -> str:
    """The number without spaces and extension, `+14255550101`. Raises BadNumber."""
    parsed = _parse(_ascii_digits(text).partition("x")[0])
    found: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return found


def find_e164(text: str) -> str | None:
    """Like `e164` for what a person typed: with brackets, dashes, other digits; or nothing."""
    if len(text) > MAX_TYPED:
        return None
    try:
        return e164(text)
    except BadNumber:
        return None


def extension_of(text: str) -> str:
    return text.partition("x")[2]


def dialled(text: str, *, with_extension: bool) -> str:
    """What is handed to the provider: E.164, and `;ext=` only where the tenant wants it dialled."""
    extension = extension_of(text)
    return e164(text) + (f";ext={extension}" if with_extension and extension else "")


def _parse(text: str, region: str | None = None) -> phonenumbers.PhoneNumber:
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise BadNumber(BadNumber.fix) from None
    if not phonenumbers.is_possible_number(parsed):
        raise BadNumber("This number is too short or too long for its country.")
    return parsed


def _ascii_digits(text: str) -> str:
    """Arabic-Indic, Persian and full-width digits become ASCII ones."""
    out = []
    for char in text.strip():
        value = unicodedata.decimal(char, None)
        out.append(char if value is None else str(value))
    return "".join(out)
