"""What the methods are called, on every page for people."""

from collections.abc import Mapping

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
