"""Asking a directory for something, without a journey around it."""

from datetime import datetime
from uuid import uuid4

from accounts.models import User
from tenants.context import tenant_context
from tenants.together import Changes
from tests.cast import PASSWORD, Acme, Organisation
from tests.resets.visitor import Clock
from tests.writeback.field import FieldAgent, sign_what_waits
from writeback.models import WritebackJob
from writeback.protocol import Operation, Passwords
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


def order_by_hand(
    acme: Acme, clock: Clock, purpose: str, operation: Operation, reference: str = ""
) -> str:
    """Places a job for Bob that is handed out though it rests on nothing and nobody could open it;
    its id."""
    new = "Quiet-Harbour 7 Lanterns" if operation == "reset" else None
    made = Order(
        purpose, operation, uuid4(), acme.bob, passwords=Passwords(new=new), reference=reference
    )
    with acme.inside():
        changes = Changes()
        [job] = place(made, links_of(acme.bob), clock.now, changes)
        changes.write()
        WritebackJob.objects.filter(pk=job.pk).update(state="ready")
        job.envelopes.update(signed=b"{}")
    clock.shift(milliseconds=1)
    return str(job.pk)


def next_job(agent: FieldAgent) -> str | None:
    reply = agent.call("jobs/next", {"wait": 0})
    return str(reply.body["job"]) if reply.status == 200 else None
