"""Short texts of the security-info pages."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TYPE_EMAIL = _("Type an email address")
BAD_EMAIL = _("Write an address like alice@example.net")
OWN_MAILBOX = _("Use another mailbox than the one you would be locked out of")
OWN_DOMAIN = _("Use a mailbox outside your organisation; the one inside is behind your password")
TYPE_NUMBER = _("Type a phone number")
BAD_NUMBER = _("This can't be a phone number. Check it, and choose its country")
NO_CODES_THERE = _("We can't send codes to this number. Use another one")
CHOOSE_COUNTRY = _("Choose the country of the number")
CHOOSE_CHANNEL = _("Choose how you want to get your code")
NO_EXTENSION = _("A mobile number has no extension")
BAD_EXTENSION = _("Write the extension as digits, at most 10")
TYPE_CODE = _("Type the code")
CODE_LENGTH = _("The code must be 6 digits")
WRONG_CODE = _("That code is not right. Check the latest message from us")
WRONG_APP_CODE = _("That code is not right. Check the code your app shows now")
LATE_CODE = _("That code has expired. Send a new code")
NO_MORE_CODES = _("We can't send more codes for this. Start again")
WAIT_FOR_CODE = _("You can ask for a new code after %(until)s")
NAME_TOO_LONG = _("Use 64 characters or fewer")
CHOOSE_QUESTION = _("Choose a question")
SAME_QUESTION = _("Choose each question once")
TYPE_ANSWER = _("Type an answer")
ANSWER_LENGTH = _("An answer has 3 to 40 characters")
SAME_ANSWER = _("Give each question an answer of its own")
GIVEN_AWAY = _("Neither the question nor your user ID is an answer")

WHY_NOT: Mapping[str, Promise] = {
    "not_allowed": _("Your organisation does not use it"),
    "own_domain": _("The mailbox opens with the password you would have forgotten"),
    "one_gate": _("It counts only where two ways are asked for"),
    "no_calls": _("Your organisation's plan has no calls"),
}
NEEDS_MORE = _("Not alone; it needs another way beside it")
