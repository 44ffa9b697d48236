"""Names and short texts of verification methods, wherever one is asked for."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: Mapping[str, Promise] = {
    "email": _("Email"),
    "app_code": _("Authenticator app"),
    "app_notification": _("Authenticator app, notification"),
    "mobile_phone": _("Mobile phone"),
    "office_phone": _("Office phone"),
    "security_questions": _("Security questions"),
    "passkey": _("Passkey"),
    "backup_codes": _("Backup codes"),
    "hardware_token": _("Code generator"),
    "yubikey_otp": _("YubiKey"),
    "temporary_access_pass": _("Temporary access pass"),
    "manager_approval": _("Approval by your manager"),
    "external_identity": _("Sign-in at another service"),
}
DESCRIPTIONS: Mapping[str, Promise] = {
    "email": _("We send a code to your other email address."),
    "app_code": _("Type the code that your app shows."),
    "mobile_phone": _("We text you a code or call you."),
    "office_phone": _("We call your desk and say a code."),
    "security_questions": _("Answer questions you set up before."),
    "app_notification": _("Approve a request in your app."),
    "passkey": _("Use your fingerprint, face, PIN or security key."),
    "backup_codes": _("Type one of the codes you keep."),
    "hardware_token": _("Type the code your device shows."),
    "yubikey_otp": _("Touch your YubiKey."),
    "temporary_access_pass": _("Type the pass your help desk gave you."),
    "manager_approval": _("Somebody you work with confirms that it is you."),
    "external_identity": _("Sign in at the other service."),
}
TEXT_ONLY = _("We text you a code.")

CHOOSE_METHOD = _("Choose one of these ways")
CHOOSE_CHANNEL = _("Choose how you want to get your code")
TYPE_CODE = _("Type the code")
CODE_LENGTH = _("The code must be 6 digits")
WRONG_CODE = _("That code is not right. Check the latest message from us")
NOT_YET = _("We have no answer yet. Wait a moment, then continue")
NO_ASSERTION = _("The passkey was not used. Try again, or try another way")
WRONG_ASSERTION = _("That passkey did not work here. Try again, or try another way")
NOT_APPROVED = _("The request was not approved. Try again, or try another way")
WRONG_PASS = _("That is not right. Check it and type it again")
CODE_FORM = _("This can't be right. Check it and type it again")
UNAVAILABLE = _(
    "We could not check this because the service that knows your key does not answer. Wait a "
    "moment and try again, or try another way"
)
WRONG_APP_CODE = _("That code is not right. Check the code your app shows now")
LATE_CODE = _("That code has expired. Send a new code")
NO_MORE_CODES = _("We can't send more codes for this. Try another way")
TOO_MANY_CODES = _("You had too many codes. You can ask for more after %(until)s")
TOO_MANY_ASKED = _("You asked too often. You can ask this way again after %(until)s")
TOO_MANY_PROOFS = _("There were too many wrong tries. You can try again after %(until)s")
WAIT_FOR_CODE = _("You can ask for a new code after %(until)s")
WRONG_ANSWERS = _("Not every answer is right. Here are your questions again; they may be others")
TYPE_ANSWERS = _("Answer every question")


def label(method: str) -> Promise:
    return LABELS[method]


def description(method: str, channels: Any) -> Promise | str:
    if method == "mobile_phone" and "voice" not in channels:
        return TEXT_ONLY
    return DESCRIPTIONS.get(method, "")


_WRONG: Mapping[str, Promise] = {
    "app_code": WRONG_APP_CODE,
    "passkey": WRONG_ASSERTION,
    "app_notification": NOT_APPROVED,
    "manager_approval": NOT_APPROVED,
    "external_identity": NOT_APPROVED,
    "backup_codes": WRONG_PASS,
    "hardware_token": WRONG_PASS,
    "yubikey_otp": WRONG_PASS,
    "temporary_access_pass": WRONG_PASS,
}
_OTHER_CODES = {"backup_codes", "hardware_token", "yubikey_otp", "temporary_access_pass"}


def wrong(method: str, *, sent: bool) -> Promise:
    """What a wrong answer to this method is told."""
    return WRONG_CODE if sent else _WRONG.get(method, WRONG_APP_CODE)


def malformed(method: str) -> Promise:
    """What is told where the answer can't be one of this method."""
    return CODE_FORM if method in _OTHER_CODES else CODE_LENGTH
