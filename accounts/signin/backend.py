"""Who a user ID and password belong to. The caller opens the tenant's context."""

import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from tenants.context import find_current_tenant
from tenants.limits import MAX_PASSWORD
from tenants.models import Tenant
from tenants.together import Given, Reading

from ..models import User
from ..people import find_user

_SIGNED_IN = Reading(lambda: (User.objects.filter(pk=Given("user")), Tenant.objects.all()))
_KEPT_HERE = frozenset({User.Source.CLOUD.value, User.Source.PASSWORD_HASH_SYNC.value})


class TenantBackend(BaseBackend):
    """Signs in enabled people of the tenant in force, with a password kept here."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Unknown and disabled people, and those whose password is kept elsewhere, cost a
        comparison like everybody."""
        if username is None or password is None or len(password) > MAX_PASSWORD:
            return None
        user = find_user(username) if find_current_tenant() is not None else None
        able = user if user is not None and can_compare(user) else None
        # Every form is compared, so that time does not tell who exists.
        right = [_same(able, form) for form in typed_forms(password)]
        return able if any(right) else None

    def get_user(self, user_id: Any) -> User | None:
        if find_current_tenant() is None:
            return None
        users, [tenant] = _SIGNED_IN.rows(user=UUID(str(user_id)))
        for user in users:
            # Each page asks the tenant which rules hold there.
            user.tenant = tenant
            found: User = user
            return found if found.usable else None
        return None


def _same(user: User | None, password: str) -> bool:
    if user is None:
        make_password(password)
        return False
    return user.check_password(password)


def can_compare(user: User) -> bool:
    """Whether this person may sign in with a password that is kept here."""
    return user.usable and user.has_usable_password() and user.source in _KEPT_HERE


def typed_forms(password: str) -> Sequence[str]:
    """The forms in which a typed password may have been hashed: as it is, and under the rules that
    compose its characters, whichever held when it was set. Nearly always that is one."""
    return list(dict.fromkeys((password, unicodedata.normalize("NFKC", password))))
