"""Short texts of the pages of a journey; those of methods are `accounts.methods.words`."""

from django.utils.translation import gettext_lazy as _

from accounts.methods.words import (
    CHOOSE_CHANNEL,
    CHOOSE_METHOD,
    CODE_FORM,
    CODE_LENGTH,
    DESCRIPTIONS,
    LABELS,
    LATE_CODE,
    NO_ASSERTION,
    NO_MORE_CODES,
    NOT_APPROVED,
    NOT_YET,
    TEXT_ONLY,
    TOO_MANY_ASKED,
    TOO_MANY_CODES,
    TYPE_ANSWERS,
    TYPE_CODE,
    UNAVAILABLE,
    WAIT_FOR_CODE,
    WRONG_ANSWERS,
    WRONG_APP_CODE,
    WRONG_ASSERTION,
    WRONG_CODE,
    WRONG_PASS,
    description,
    label,
    malformed,
    wrong,
)

__all__ = [
    "CHOOSE_CHANNEL",
    "CHOOSE_METHOD",
    "CODE_FORM",
    "CODE_LENGTH",
    "DESCRIPTIONS",
    "LABELS",
    "LATE_CODE",
    "NOT_APPROVED",
    "NOT_YET",
    "NO_ASSERTION",
    "NO_MORE_CODES",
    "TEXT_ONLY",
    "TOO_MANY_ASKED",
    "TOO_MANY_CODES",
    "TYPE_ANSWERS",
    "TYPE_CODE",
    "UNAVAILABLE",
    "WAIT_FOR_CODE",
    "WRONG_ANSWERS",
    "WRONG_APP_CODE",
    "WRONG_ASSERTION",
    "WRONG_CODE",
    "WRONG_PASS",
    "description",
    "label",
    "malformed",
    "wrong",
]

EMPTY_USER_ID = _("Enter your work email or username")
TOO_LONG_USER_ID = _("This is too long. Enter your work email or username")
CAPTCHA_FAILED = _("We could not check that you are a person. Send it once more")
CAPTCHA_AGAIN = _("We check more carefully right now. Press Continue once more; it takes longer")
TYPE_CONTACT = _("Type the full address or number")
PAUSED = _("Codes by email and phone are paused until %(until)s. Try another way, or get help")
TYPE_OLD_PASSWORD = _("Type the password you have now")
WRONG_OLD_PASSWORD = _("That is not your password. Type the one you have now")
CHANGE_UNDER_WAY = _("Your password is being changed already. Wait a minute, then try again")
LOCKED_UNTIL = _("Too many wrong passwords. Try again after %(until)s")
CHOOSE_OPERATION = _("Choose one of the two")
TYPE_PASSWORD = _("Type a new password")
TYPE_EMAIL = _("Type your email address, like name@example.org")
TYPE_ORGANISATION = _("Type the organisation's web address or domain")
NOTE_TOO_LONG = _("Use 500 characters or fewer")
NOT_ME = _("Wasn't you? Use the link in the email we sent, or contact your administrator.")
