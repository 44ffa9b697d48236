"""Asking a directory for something, without a journey around it."""

from datetime import datetime
from uuid import uuid4

from accounts.models import User
from tenants.context import tenant_context
from tenants.together import Changes
from tests.cast import PASSWORD, Organisation
from tests.writeback.field import sign_what_waits
from writeback.models import WritebackJob
from writeback.protocol import Passwords
from writeback.services.orders import Order, links_of, place


def order(
    organisation: Organisation, user: User, now: datetime, *, signed: bool = True
) -> list[WritebackJob]:
    """A sign-in that all of the person's directories shall judge: it changes nothing, so it rests
    on nothing."""
    asked = Order(
        purpose=WritebackJob.Purpose.SIGN_IN,
        operation="verify",
        origin=uuid4(),
        user=user,
        passwords=Passwords(old=PASSWORD),
    )
    with tenant_context(organisation.id):
        changes = Changes()
        jobs = place(asked, links_of(user), now, changes)
        changes.write()
    if signed:
        sign_what_waits(now)
    return jobs
