"""`mobile_phone` by text or call, `office_phone` by call, with an extension."""

from collections.abc import Mapping
from typing import Any

from tenants.countries import COUNTRIES
from tenants.masking import masked_phone

from ...destinations import destination_problem
from ...models import ContactPoint
from ...numbers import BadNumber, calling_code, local_number
from ...people import Belongings
from ...signin.person import SignedIn
from .. import words
from ..contact_pages import ContactRegistrable, Typed
from ..standing import terms_in_force

MAX_EXTENSION = 10


class _Phone(ContactRegistrable):
    template = "phone"

    def mask(self, value: str) -> str:
        return masked_phone(value)

    def form(self, person: SignedIn, own: Belongings) -> dict[str, Any]:
        terms = terms_in_force()
        wanted = terms.countries or COUNTRIES
        return {
            "countries": [(code, f"{code} +{calling_code(code)}") for code in wanted],
            "channels": ("sms", "voice") if terms.granted.voice else ("sms",),
        }

    def read(self, values: Mapping[str, str], person: SignedIn, own: Belongings) -> Typed:
        errors: dict[str, Any] = {}
        typed = values["number"].strip()
        value = ""
        if not typed:
            errors["number"] = words.TYPE_NUMBER
        elif not typed.startswith("+") and values["country"] not in COUNTRIES:
            errors["country"] = words.CHOOSE_COUNTRY
        else:
            value, errors = self._read_number(typed, values)
        channel, problem = self._read_channel(values)
        if problem is not None:
            errors["channel"] = problem
        return Typed(value, channel, errors)

    def _read_number(self, typed: str, values: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        extension = values.get("extension", "").strip()
        if extension and not (extension.isascii() and extension.isdigit()):
            return "", {"extension": words.BAD_EXTENSION}
        if len(extension) > MAX_EXTENSION:
            return "", {"extension": words.BAD_EXTENSION}
        if "x" in typed:
            return "", {"number": words.BAD_NUMBER}
        try:
            number = local_number(typed, values["country"])
        except BadNumber:
            return "", {"number": words.BAD_NUMBER}
        if destination_problem(number, terms_in_force().countries) is not None:
            return "", {"number": words.NO_CODES_THERE}
        return f"{number}x{extension}" if extension else number, {}

    def _read_channel(self, values: Mapping[str, str]) -> tuple[str, Any]:
        raise NotImplementedError


class MobilePhoneRegistrable(_Phone):
    """The number in the person's pocket."""

    key = "mobile_phone"
    kind = ContactPoint.Kind.MOBILE_PHONE.value
    fields = ("country", "number", "channel")

    def _read_channel(self, values: Mapping[str, str]) -> tuple[str, Any]:
        offered = ("sms", "voice") if terms_in_force().granted.voice else ("sms",)
        channel = values["channel"] or "sms"
        return (channel, None) if channel in offered else ("", words.CHOOSE_CHANNEL)

    def channel_for(self, values: Mapping[str, str]) -> str:
        found, _ = self._read_channel(values)
        return found or "sms"


class OfficePhoneRegistrable(_Phone):
    """The desk: only by call."""

    key = "office_phone"
    kind = ContactPoint.Kind.OFFICE_PHONE.value
    fields = ("country", "number", "extension")

    def _read_channel(self, values: Mapping[str, str]) -> tuple[str, Any]:
        return "voice", None

    def channel_for(self, values: Mapping[str, str]) -> str:
        return "voice"
