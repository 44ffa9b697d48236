"""PURE. The steps of a recovery as sentences: what Entra calls the reason of an activity."""

from .audit_types import get_event_type

_METHODS = {
    "email": "email",
    "mobile_phone": "mobile phone",
    "office_phone": "office phone",
    "app_code": "authenticator code",
    "app_notification": "authenticator approval",
    "security_questions": "security question",
    "passkey": "passkey",
    "backup_codes": "backup code",
    "hardware_token": "hardware token",
    "yubikey_otp": "YubiKey",
    "temporary_access_pass": "temporary access pass",
    "manager_approval": "approval by a colleague",
}
_CHANNELS = {"sms": "text message", "voice": "call"}
_REASONS = {
    "flow.started": "user started to recover the account",
    "flow.refused": "user may not recover the account without help",
    "flow.options_presented": "user was shown the verification options",
    "flow.organisation_asked": "user was asked for the organisation",
    "flow.verification_started": "user started the {option} verification option",
    "flow.verification_sent": "user was sent a code for the {option} verification option",
    "flow.verification_completed": "user completed the {option} verification option",
    "flow.verification_failed": "user did not pass the {option} verification option",
    "flow.blocked": "user tried too often and has to wait",
    "flow.reevaluated": "the rules changed while the user was being verified",
    "flow.rehearsed": "user rehearsed the recovery; nothing was changed",
    "flow.denied": "a step that was not open was tried",
    "flow.cancelled": "user cancelled before all verification options were passed",
    "flow.expired": "user took too long to finish",
    "flow.locked": "user is locked out of recovery after too many failed tries",
    "password.reset": "user set a new password",
    "password.rejected": "the new password does not meet the rules",
    "account.unlocked": "user unlocked the account",
    "captcha.failed": "the check against automated use was not passed",
}


def progress_reason(event_type: str, method: str = "", channel: str = "") -> str:
    """What the person did, in a sentence; empty for types that are no step of a recovery.

    `method` is a key of the policy, `channel` is sms or voice. Raises UnknownEventType.
    """
    sentence = _REASONS.get(get_event_type(event_type).key, "")
    option = _METHODS.get(method, method.replace("_", " "))
    if channel in _CHANNELS:
        option = f"{option} {_CHANNELS[channel]}"
    return sentence.replace("{option} ", f"{option} " if option else "")
