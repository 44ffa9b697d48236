"""`app_code`: the six digits an authenticator app shows (RFC 6238, on django-otp's algorithm).

A step of time is accepted once per device, wherever it is used: the row's last step only rises,
by a conditional update, so that of two racers with the same code one is wrong.
"""

import hmac
from collections.abc import Sequence
from typing import Literal

import structlog
from django_otp.oath import TOTP

from tenants.keys import SealBroken, tenant_keys
from tenants.together import Change, Changes, Given

from ..models import AuthenticatorDevice
from ..people import Belongings
from .base import (
    WRONG,
    Answer,
    Asked,
    Asks,
    MethodContext,
    Registration,
    Typed,
    Verdict,
    typed_code,
)

log = structlog.get_logger(__name__)

STEP_SECONDS = 30
DIGITS = 6
TOLERANCE = (-1, 0, 1)
_DECOY_SEED = bytes(20)
_NEVER = 2**62  # later than any step: no code is right


def device_evidence(device: AuthenticatorDevice) -> str:
    return f"device:{device.id}:{device.version}"


class AppCode(Typed):
    """The code of any of the person's confirmed authenticator apps."""

    key = "app_code"
    asks: Asks = "code"
    sends = False
    contact: Literal["", "email", "phone"] = ""

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        if not own.devices:
            return ()
        return (
            Registration(
                method=self.key,
                anchor=tenant_keys().mac("anchor", "authenticator", own.user.pk),
                evidence=tuple(device_evidence(device) for device in own.devices),
            ),
        )

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        typed = typed_code(answer.code.reveal())
        if own is None or not own.devices:
            matching_step(_DECOY_SEED, typed, context.now.timestamp(), _NEVER)
            return WRONG
        for device in own.devices:
            seed = _find_seed(device)
            last_step = device.last_step if seed is not None else _NEVER
            step = matching_step(seed or _DECOY_SEED, typed, context.now.timestamp(), last_step)
            if step is not None and _spend(device, step, changes or Changes()):
                return Verdict(right=True, evidence=device_evidence(device))
        return WRONG


def matching_step(seed: bytes, typed: str, seconds: float, last_step: int) -> int | None:
    """The time step whose code was typed: one of three, later than the last one used."""
    found = None
    for drift in TOLERANCE:
        clock = TOTP(seed, step=STEP_SECONDS, digits=DIGITS, drift=drift)
        clock.time = seconds
        expected = f"{clock.token():0{DIGITS}d}"
        step = clock.t()
        if hmac.compare_digest(typed.encode(), expected.encode()) and step > last_step:
            found = step if found is None else found
    return found


def _find_seed(device: AuthenticatorDevice) -> bytes | None:
    """The seed; nothing, and a word to the operator, when the row was tampered with."""
    try:
        return device.read_seed().reveal()
    except SealBroken:
        log.error("device_unreadable", device=str(device.pk))
        return None


_SPENDING = Change(
    lambda: AuthenticatorDevice.objects.filter(pk=Given("device"), last_step__lt=Given("step")),
    last_step=Given("step"),
)


def _spend(device: AuthenticatorDevice, step: int, changes: Changes) -> bool:
    """Whether this code is used now, and was not by somebody who was faster."""
    return changes.spend(*_SPENDING.of(device=device.pk, step=step))
