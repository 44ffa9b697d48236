"""The seal of a gate: what makes a proof believable that is a row in a table."""

from django.utils.crypto import constant_time_compare

from tenants.keys import tenant_keys

from ..models import Flow, Gate


def gate_seal(flow: Flow, gate: Gate, step: int) -> bytes:
    """Ties a gate to everything it was passed with; a row made by hand does not have it."""
    return tenant_keys().mac(
        "gate",
        flow.tenant_id,
        flow.pk,
        flow.user_id,
        gate.challenge_id,
        step,
        gate.method,
        bytes(gate.anchor).hex(),
        gate.evidence,
    )


def is_sealed(flow: Flow, gate: Gate) -> bool:
    """Whether this gate was passed in this journey, by its person, at its step."""
    own = gate_seal(flow, gate, gate.step)
    same = constant_time_compare(bytes(gate.seal).hex(), own.hex())
    return same and gate.user_id == flow.user_id
