"""Method key → module, imported on first use."""

from functools import cache
from importlib import import_module

from tenants.policy import STRONGEST_FIRST

from .base import Method

METHODS = {
    "email": "accounts.methods.email_code.EmailCode",
    "app_code": "accounts.methods.totp.AppCode",
    "mobile_phone": "accounts.methods.phone.MobilePhone",
    "office_phone": "accounts.methods.phone.OfficePhone",
    "security_questions": "accounts.methods.questions.SecurityQuestions",
    "backup_codes": "accounts.methods.backup_codes.BackupCodes",
    "hardware_token": "accounts.methods.hardware_token.HardwareToken",
    "yubikey_otp": "accounts.methods.yubikey_otp.YubiKeyOtp",
    "temporary_access_pass": "accounts.methods.access_pass.TemporaryAccessPass",
    "manager_approval": "accounts.methods.manager_approval.ManagerApproval",
    "passkey": "accounts.methods.passkey.Passkey",
    "external_identity": "accounts.methods.external_identity.ExternalIdentity",
    "app_notification": "accounts.methods.app_notification.AppNotification",
}


@cache
def get_method(key: str) -> Method:
    """The method of that key. Raises KeyError."""
    module, _, name = METHODS[key].rpartition(".")
    method: Method = getattr(import_module(module), name)()
    return method


def methods() -> tuple[Method, ...]:
    """All that this installation can verify, strongest first."""
    return tuple(get_method(key) for key in STRONGEST_FIRST if key in METHODS)
