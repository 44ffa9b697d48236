"""Who a user ID and password belong to. The caller opens the tenant's context."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from tenants.context import find_current_tenant

from ..identifiers import canonical
from ..models import User


class TenantBackend(BaseBackend):
    """Signs in enabled people of the tenant in force, with a password kept here."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None or len(password) > 256:
            return None
        user = None
        if find_current_tenant() is not None:
            user = User.objects.filter(user_id=canonical(username)).first()
        if user is None or not user.usable or not user.has_usable_password():
            # As dear as a real comparison, so that time does not tell who exists.
            make_password(password)
            return None
        return user if user.check_password(password) else None

    def get_user(self, user_id: Any) -> User | None:
        if find_current_tenant() is None:
            return None
        user = User.objects.filter(pk=user_id).first()
        return user if user is not None and user.usable else None
