"""The browser's next secret after a gate, and what happens when it got lost on its way.

The secret is derived from the one before, the challenge and the answer, under a key that is not in
the database. So whoever sends the very same answer with the very same old secret once more, because
the first reply never arrived, is given the same new one; nothing is judged or counted as passed
again. The old secret alone opens nothing any more.
"""

import base64
from datetime import datetime
from uuid import UUID

from django.utils.crypto import constant_time_compare

from accounts.methods.base import Answer
from tenants.context import tenant_context, tenant_reading
from tenants.counters import Count, count_up
from tenants.keys import tenant_keys
from tenants.limits import LIMITS
from tenants.together import Given, Reading

from ..models import Flow, Gate
from .common import Handle, NoFlow, secret_hash

_PASSED = Reading(
    lambda: (
        Flow.objects.filter(pk=Given("flow")).only("secret_hash"),
        Gate.objects.filter(flow=Given("flow")),
    )
)


def next_secret(flow: UUID, challenge: UUID, secret: str, answer: Answer) -> str:
    """256 bits, the same for the same answer to the same challenge."""
    answers = [text.reveal() for text in answer.answers]
    typed = [answer.code.reveal(), *(text for text in answers if text)]
    if answer.assertion:
        typed.append(answer.assertion.reveal())
    mac = tenant_keys().mac("next secret", flow, challenge, secret, *typed)
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def repeat(handle: Handle, answer: Answer, *, now: datetime) -> Handle:
    """The handle that this answer earned before. Raises NoFlow where it earned none.

    Counted first, a few tries a journey: an old secret must not be a place to guess codes at.
    """
    with tenant_reading(handle.tenant):
        flows, gates = _PASSED.rows(flow=handle.flow)
    if not (flows and gates):
        raise NoFlow
    with tenant_context(handle.tenant):
        count = Count(LIMITS["repeated_answers"], str(handle.flow))
        blocked = count_up([count], now).blocked
    if blocked is not None:
        raise NoFlow
    with tenant_context(handle.tenant):
        gate = max(gates, key=lambda passed: passed.step)
        secret = next_secret(gate.flow_id, gate.challenge_id, handle.secret, answer)
        expected = bytes(flows[0].secret_hash)
        if not constant_time_compare(expected.hex(), secret_hash(secret).hex()):
            raise NoFlow
        return Handle(handle.tenant, handle.flow, secret)
