"""Asking a directory for something: the job and its envelopes, in the caller's transaction."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts.models import User
from tenants.bell import UNSIGNED, ring
from tenants.together import Changes, Given, Reading

from ..models import Connector, DirectoryLink, WritebackJob
from ..protocol import LIFETIME, Operation, Passwords
from ..sealing import Sealing, envelopes, find_recipients, is_linked

NO_EVIDENCE = hashlib.sha256(b"").digest()
"""Of a job that changes nothing, or whose evidence is the old password it carries."""


@dataclass(frozen=True)
class Order:
    """What is asked, and what it rests on.

    purpose: of `WritebackJob.Purpose`; origin: the journey, sign-in or administrator's order;
    evidence: 32 bytes that the signer finds again for itself.
    """

    purpose: str
    operation: Operation
    origin: UUID
    user: User | None
    passwords: Passwords = field(repr=False)
    evidence: bytes = NO_EVIDENCE
    attempt: int = 1
    must_change: bool = False
    reference: str = ""


_LINKS = Reading(
    lambda: (
        DirectoryLink.objects.filter(user=Given("user")),
        Connector.objects.defer("settings", "secret"),
    )
)


def links_of(user: User) -> list[DirectoryLink]:
    """Where somebody's password is kept, in a steady order; a link written by hand is none."""
    links, connectors = _LINKS.rows(user=user.pk)
    known = {connector.pk: connector for connector in connectors}
    for link in links:
        link.connector = known[link.connector_id]
    ordered = sorted(links, key=lambda link: (link.connector.created_at, link.pk))
    return [link for link in ordered if is_linked(link)]


def is_link_of(job: WritebackJob) -> bool:
    """Whether the job goes to an account that is its person's own."""
    if job.user is None:
        return False
    found = [link for link in links_of(job.user) if link.connector_id == job.connector_id]
    return [link.anchor for link in found] == [job.anchor]


def place(
    order: Order, links: Sequence[DirectoryLink], now: datetime, changes: Changes
) -> list[WritebackJob]:
    """One job a directory. A directory that no agent can be reached for has a job without an
    envelope, which is withdrawn like one that nobody took: what the person hears is the same."""
    return [place_at(order, link.connector, link.anchor, now, changes) for link in links]


def place_at(
    order: Order, connector: Connector, anchor: str, now: datetime, changes: Changes
) -> WritebackJob:
    """One job for an account that need not be anybody's."""
    job = new_job(order, connector, anchor, now)
    changes.add(job)
    sealing = Sealing(job, order.passwords)
    changes.add(*envelopes(sealing, find_recipients(connector.pk, now)))
    ring(UNSIGNED)
    return job


def new_job(order: Order, connector: Connector, anchor: str, now: datetime) -> WritebackJob:
    return WritebackJob(
        connector=connector,
        user=order.user,
        anchor=anchor,
        purpose=order.purpose,
        operation=order.operation,
        must_change=order.must_change,
        origin=order.origin,
        attempt=order.attempt,
        reference=order.reference,
        sequence=int(now.timestamp() * 1_000_000),
        evidence=order.evidence,
        created_at=now,
        expires_at=now.replace(microsecond=0) + LIFETIME,
    )
