"""Operators: people of the installation's own row. They are made by a command, never by a page."""

import secrets
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.hashers import make_password

from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.roles import OPERATOR, holds_operator_role
from tenants.secret import Secret
from tenants.services import get_platform

from .identifiers import canonical, find_domain
from .models import AuthenticatorDevice, Session, User
from .password_checks import PasswordTerms, violations
from .passwords.messages import message
from .passwords.names import PasswordContext
from .passwords.rules import PasswordRules, normalise_for_hashing

RULES = PasswordRules(rules="nist", min_length=15)
"""A password that stands alone is long; what it is made of does not matter."""
SEED_BYTES = 20
APP_NAME = "Authenticator app"
BAD_USER_ID = "write the user ID as name@domain"
COMMAND_LINE = Party("operator", None, "command line")


class OperatorRefused(ValueError):
    """An operator who can't be made or changed so. `reasons` are sentences without a secret."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def create_operator(typed: str, password: Secret[str], *, now: datetime) -> User:
    """A new operator with this password. Raises OperatorRefused."""
    user_id = canonical(typed)
    if find_domain(user_id) is None:
        raise OperatorRefused(BAD_USER_ID)
    with tenant_context(get_platform()):
        if User.objects.filter(user_id=user_id).exists():
            raise OperatorRefused("there is an operator of this user ID already")
        stored = _hashed(user_id, password)
        user = User(user_id=user_id, display_name=user_id, roles=[OPERATOR], password=stored)
        user.password_changed_at = now
        user.save()
        _record("operator.created", user, now)
    return user


def replace_password(typed: str, password: Secret[str], *, now: datetime) -> None:
    """Another password for an operator, who is enabled by it; every session ends.

    Raises OperatorRefused.
    """
    with tenant_context(get_platform()):
        user = _locked(typed)
        user.password = _hashed(user.user_id, password)
        user.password_changed_at, user.is_active = now, True
        _end(user)
        _record("operator.password_replaced", user, now)


def enrol_app(typed: str, *, now: datetime) -> Secret[str]:
    """A new authenticator app in place of an operator's others: nobody enters with a password
    alone. Returns its key in BASE32, which is shown once. Raises OperatorRefused."""
    seed = secrets.token_bytes(SEED_BYTES)
    with tenant_context(get_platform()):
        user = _locked(typed)
        AuthenticatorDevice.objects.filter(user=user).delete()
        device = AuthenticatorDevice(user=user, name=APP_NAME, confirmed=True)
        device.write_seed(seed)
        device.save(force_insert=True)
        _end(user)
        _record("operator.app_enrolled", user, now)
    return Secret(b32encode(seed).decode())


def disable_operator(typed: str, *, now: datetime) -> None:
    """Keeps an operator out, at once. Raises OperatorRefused."""
    with tenant_context(get_platform()):
        user = _locked(typed)
        user.is_active = False
        _end(user)
        _record("operator.disabled", user, now)


def _locked(typed: str) -> User:
    user = User.objects.select_for_update().filter(user_id=canonical(typed)).first()
    if user is None or not holds_operator_role(user.roles):
        raise OperatorRefused("there is no operator of this user ID")
    return user


def _end(user: User) -> None:
    user.session_epoch += 1
    user.save()
    Session.objects.filter(user=user).delete()


def _hashed(user_id: str, password: Secret[str]) -> str:
    names = PasswordContext(
        user_id=user_id,
        given_name="",
        surname="",
        display_name="",
        tenant_name=Tenant.objects.get().name,
        operation="reset",
    )
    problems: Sequence[str] = [
        str(message(found)) for found in violations(password, PasswordTerms(RULES, names))
    ]
    if problems:
        raise OperatorRefused(*problems)
    return make_password(normalise_for_hashing(password.reveal(), RULES))


def _record(event_type: str, user: User, now: datetime) -> None:
    target = Party("operator", user.pk, user.user_id)
    audit.record(event_type, actor=COMMAND_LINE, target=target, now=now)
