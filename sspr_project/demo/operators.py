"""The operator of the demo, made once. An installation has none until somebody makes one."""

from datetime import datetime

from accounts.models import User
from accounts.operators import create_operator, enrol_app
from tenants.context import tenant_context
from tenants.secret import Secret
from tenants.services import get_platform

USER_ID = "olga@operators.example"
PASSWORD = "Copper Lantern 81 Tides"  # noqa: S105 - made up and printed by the demo


def make_missing(now: datetime) -> None:
    with tenant_context(get_platform()):
        there = User.objects.filter(user_id=USER_ID).exists()
    if not there:
        create_operator(USER_ID, Secret(PASSWORD), now=now)
        enrol_app(USER_ID, now=now)
