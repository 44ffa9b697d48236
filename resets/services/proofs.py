"""Proving who one is: choosing a method, having a code sent, answering.

Every answer is counted in a transaction of its own before it is judged (R-9); what was counted is
taken back when the answer was right.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from accounts.contacts import same_contact
from accounts.methods.base import Answer, Asked, Registration
from accounts.methods.registry import get_method
from accounts.models import ContactPoint
from tenants.context import tenant_context
from tenants.counters import Counted, count_down, count_up, find_block
from tenants.keys import tenant_keys
from tenants.limits import (
    CODE_LIFETIME,
    RESEND_GAPS,
    SENDS_PER_CHALLENGE,
    TRIES_PER_CHALLENGE,
    TRIES_PER_FLOW,
)

from ..facts import Situation, read_situation
from ..flow import Event as Step
from ..flow import State
from ..models import Challenge, Flow, Gate
from .common import (
    Handle,
    Result,
    Standing,
    bound_to,
    end,
    get_flow,
    move,
    new_secret,
    proof_counts,
    record,
    secret_hash,
    standing_of,
    subject,
    until_of,
)
from .questions import draw_questions
from .sending import send_code

_CHANNELS = ("sms", "voice")
CONTACT_KINDS = {
    "email": ContactPoint.Kind.ALTERNATE_EMAIL.value,
    "mobile_phone": ContactPoint.Kind.MOBILE_PHONE.value,
    "office_phone": ContactPoint.Kind.OFFICE_PHONE.value,
}


def choose(handle: Handle, method: str, *, contact: str, channel: str, now: datetime) -> Result:
    """Takes up a method. Where a code is sent, the contact was typed in full before (Entra).

    A contact that is not the one on file gets the same answer, no message, and counts as a proof
    that failed.
    """
    with tenant_context(handle.tenant):
        flow = get_flow(handle, now)
        if flow.state != State.PROVING:
            return Result("not_now")
        situation = read_situation(now)
        standing = standing_of(flow, situation)
        refusal = _choice_problem(standing, method, channel)
        if refusal is not None:
            return refusal
        sends = get_method(method).sends
        if sends and not contact.strip():
            return Result("missing", field="contact")
        blocked = _count_begin(flow, situation, method, sends=sends, now=now)
        if blocked is not None:
            return blocked
    with tenant_context(handle.tenant):
        flow = get_flow(handle, now)
        if flow.state != State.PROVING:
            return Result("not_now")
        standing = standing_of(flow, situation)
        return _begin(standing, method, contact, channel, now)


def begin_without_choice(standing: Standing, now: datetime) -> None:
    """Where every method left has to be used and nothing is sent, the choice is no question."""
    offered = standing.offered()
    forced = len(offered) == standing.steps - standing.step + 1
    if forced and not get_method(offered[0]).sends:
        _begin(standing, offered[0], "", "", now)


def _choice_problem(standing: Standing, method: str, channel: str) -> Result | None:
    if method not in standing.offered():
        return Result("missing", field="method")
    if channel not in {"", *_CHANNELS}:
        return Result("missing", field="channel")
    if method == "mobile_phone" and channel and channel not in offered_channels(standing, method):
        return Result("missing", field="channel")
    return None


def _channel(standing: Standing, method: str, asked: str) -> str:
    """What was asked for, where there is a choice: other methods' forms send the field too."""
    offered = offered_channels(standing, method)
    return asked if asked in offered else next(iter(offered), "")


def offered_channels(standing: Standing, method: str) -> Sequence[str]:
    """Channels of a method under the plan: no calls in a trial or on the free plan."""
    if method == "email":
        return ("email",)
    voice = standing.situation.facts(synchronised=False).granted.voice
    if method == "mobile_phone":
        return ("sms", "voice") if voice else ("sms",)
    return ("voice",) if method == "office_phone" else ()


def _count_begin(
    flow: Flow, situation: Situation, method: str, *, sends: bool, now: datetime
) -> Result | None:
    """Counts the attempt and, where a contact is compared, a proof that could fail."""
    counts = []
    if not flow.challenges.exists():
        counts.append(situation.count("reset_attempts", subject(flow)))
    if sends:
        counts += proof_counts(situation, flow, method)
        flow.tries += 1
        flow.save(update_fields=["tries"])
    return _lock_if_over(flow, count_up(counts, now), now)


def _lock_if_over(flow: Flow, counted: Counted, now: datetime) -> Result | None:
    if counted.blocked is None and flow.tries <= TRIES_PER_FLOW:
        return None
    return lock(flow, until_of(counted.blocked), now)


def lock(flow: Flow, until: datetime | None, now: datetime) -> Result:
    """Ends a journey because of too many tries; the audit trail calls the block a success."""
    flow.reason = "locked_out"
    end(flow, Step.LOCK, now, until=until)
    when = until.isoformat() if until else ""
    record(flow, "flow.locked", now, data={"until": when})
    return Result("blocked", until=until)


def _begin(standing: Standing, method: str, contact: str, channel: str, now: datetime) -> Result:
    flow, own = standing.flow, standing.own
    registration = standing.open_registration(method)
    Challenge.objects.filter(flow=flow, dead=False).update(dead=True)
    challenge = Challenge(
        flow=flow,
        step=standing.step,
        method=method,
        channel=_channel(standing, method, channel),
        nonce=secrets.token_bytes(16),
        expires_at=min(now + CODE_LIFETIME, flow.expires_at),
        created_at=now,
    )
    if not get_method(method).sends:
        challenge.expires_at = flow.expires_at
        challenge.anchor = registration.anchor if registration is not None else None
        if get_method(method).asks == "answers":
            challenge.questions = draw_questions(standing, flow)
    elif own is not None and registration is not None:
        row = own.contacts[CONTACT_KINDS[method]]
        if same_contact(row.kind, row.read().reveal(), contact):
            challenge.anchor = registration.anchor
            count_down(proof_counts(standing.situation, flow, method))
            Flow.objects.filter(pk=flow.pk).update(tries=F("tries") - 1)
    challenge.save(force_insert=True)
    data = {"method": method, "channel": challenge.channel, "step": challenge.step}
    record(flow, "flow.verification_started", now, data=data)
    if get_method(method).sends:
        return send_code(standing, challenge, now)
    return Result("ok")


def send(handle: Handle, *, now: datetime) -> Result:
    """Sends a new code for the method in hand; the old code dies (R-10)."""
    with tenant_context(handle.tenant):
        flow = get_flow(handle, now)
        challenge = find_challenge(flow)
        if flow.state != State.PROVING or challenge is None:
            return Result("not_now")
        if not get_method(challenge.method).sends:
            return Result("not_now")
        again_at = resend_at(challenge)
        if again_at is None:
            return Result("missing", field="resend")
        if now < again_at:
            return Result("blocked", until=again_at)
        challenge.nonce = secrets.token_bytes(16)
        challenge.expires_at = min(now + CODE_LIFETIME, flow.expires_at)
        challenge.save(update_fields=["nonce", "expires_at"])
        return send_code(standing_of(flow, read_situation(now)), challenge, now)


def resend_at(challenge: Challenge) -> datetime | None:
    """When the next code can be asked for; nothing once all are used up."""
    if challenge.sends >= SENDS_PER_CHALLENGE or challenge.sent_at is None:
        return None
    gap = RESEND_GAPS[min(challenge.sends, len(RESEND_GAPS)) - 1]
    return challenge.sent_at + gap


def find_challenge(flow: Flow) -> Challenge | None:
    """The proof this journey waits for now."""
    found: Challenge | None = (
        Challenge.objects.filter(flow=flow, dead=False, used_at=None)
        .order_by("-created_at")
        .first()
    )
    return found


def verify(handle: Handle, answer: Answer, *, now: datetime) -> Result:
    """Judges a code or answers. Counted first, in a transaction of its own; then compared."""
    with tenant_context(handle.tenant):
        flow = get_flow(handle, now)
        challenge = find_challenge(flow)
        if flow.state != State.PROVING or challenge is None:
            return Result("not_now")
        if challenge.expires_at <= now:
            return Result("late")
        situation = read_situation(now)
        refusal = _count_try(flow, challenge, situation, now)
        if refusal is not None:
            return refusal
    with tenant_context(handle.tenant):
        flow = get_flow(handle, now)
        return _judge(flow, challenge, situation, answer, now)


def _count_try(
    flow: Flow, challenge: Challenge, situation: Situation, now: datetime
) -> Result | None:
    """Counts a try; nothing when it may be judged. The journey's row is locked.

    Where earlier tries still wait for their judgement, the last of them ends the journey, so that
    of many at once exactly as many are judged as are allowed.
    """
    if challenge.tries >= TRIES_PER_CHALLENGE:
        return Result("wrong")
    flow.tries += 1
    flow.save(update_fields=["tries"])
    blocked = count_up(proof_counts(situation, flow, challenge.method), now).blocked
    if blocked is not None or flow.tries > TRIES_PER_FLOW:
        if challenge.judged < challenge.tries:
            return Result("blocked", until=until_of(blocked))
        return lock(flow, until_of(blocked), now)
    Challenge.objects.filter(pk=challenge.pk).update(tries=F("tries") + 1)
    return None


@dataclass(frozen=True)
class _Passing:
    standing: Standing
    challenge: Challenge
    registration: Registration
    evidence: str


def _judge(
    flow: Flow, counted: Challenge, situation: Situation, answer: Answer, now: datetime
) -> Result:
    challenge = Challenge.objects.select_for_update().filter(pk=counted.pk).first()
    if flow.state != State.PROVING or challenge is None or challenge.dead or challenge.used_at:
        return Result("not_now")
    standing = standing_of(flow, situation)
    registration = standing.open_registration(challenge.method)
    challenge.judged += 1
    anchor = bytes(challenge.anchor) if challenge.anchor is not None else None
    same = registration is not None and registration.anchor == anchor
    asked = Asked(bytes(challenge.nonce), bound_to(flow, challenge), tuple(challenge.questions))
    verdict = get_method(challenge.method).verify(
        standing.own if same else None, asked, answer, situation.method_context()
    )
    if not verdict.right or registration is None or challenge.method not in standing.offered():
        return _fail(standing, challenge, now)
    return _pass(_Passing(standing, challenge, registration, verdict.evidence), now)


def _fail(standing: Standing, challenge: Challenge, now: datetime) -> Result:
    flow = standing.flow
    left = max(0, TRIES_PER_CHALLENGE - challenge.tries)
    data = {"method": challenge.method, "step": challenge.step, "tries_left": left}
    record(flow, "flow.verification_failed", now, result="failure", data={**data, "cause": "wrong"})
    if challenge.questions:
        challenge.questions = draw_questions(standing, flow)
    all_judged = challenge.judged >= challenge.tries
    challenge.dead = left == 0 and all_judged
    challenge.save(update_fields=["questions", "dead", "judged"])
    block = find_person_block(standing.situation, flow, now)
    if all_judged and (block is not None or flow.tries >= TRIES_PER_FLOW):
        return lock(flow, block, now)
    return Result("wrong", tries_left=left)


def find_person_block(situation: Situation, flow: Flow, now: datetime) -> datetime | None:
    """Until when the person can't prove anything any more, once all tries are used up."""
    return until_of(find_block([situation.count("failed_proofs", subject(flow))], now))


def _pass(passing: _Passing, now: datetime) -> Result:
    standing, challenge = passing.standing, passing.challenge
    flow = standing.flow
    # What was typed twice at once costs nothing: no other try of this challenge is judged any more.
    taken_back = 1 + challenge.tries - challenge.judged
    challenge.used_at = now
    challenge.save(update_fields=["used_at", "judged"])
    Gate.objects.create(
        flow=flow,
        challenge=challenge,
        step=standing.step,
        method=challenge.method,
        user=flow.user,
        anchor=passing.registration.anchor,
        evidence=passing.evidence,
        seal=gate_seal(flow, challenge.pk, standing.step, challenge.method, passing),
        passed_at=now,
    )
    for _ in range(taken_back):
        count_down(proof_counts(standing.situation, flow, challenge.method))
    _confirm_contact(passing, now)
    missing = max(0, flow.gates_required - standing.step)
    if missing:
        move(flow, Step.PASS_GATE)
    else:
        move(flow, Step.PASS_LAST_GATE)
        move(flow, Step.ASK_PASSWORD)
    secret = new_secret()
    flow.secret_hash = secret_hash(secret)
    flow.tries = max(0, flow.tries - taken_back)
    flow.save(update_fields=["state", "secret_hash", "tries"])
    data = {"method": challenge.method, "step": standing.step, "gates_missing": missing}
    record(flow, "flow.verification_completed", now, data=data)
    if missing:
        begin_without_choice(standing_of(flow, standing.situation), now)
    return Result("ok", handle=Handle(flow.tenant_id, flow.pk, secret))


def gate_seal(
    flow: Flow, challenge: object, step: int, method: str, passing: _Passing | Gate
) -> bytes:
    """Ties a gate to everything it was passed with; a row made by hand does not have it."""
    anchor = passing.anchor if isinstance(passing, Gate) else passing.registration.anchor
    return tenant_keys().mac(
        "gate",
        flow.tenant_id,
        flow.pk,
        flow.user_id,
        challenge,
        step,
        method,
        bytes(anchor).hex(),
        passing.evidence,
    )


def _confirm_contact(passing: _Passing, now: datetime) -> None:
    """A contact that was filled in for somebody is confirmed by its first use."""
    kind = CONTACT_KINDS.get(passing.challenge.method)
    if kind is not None:
        ContactPoint.objects.filter(
            user=passing.standing.flow.user, kind=kind, confirmed_at=None
        ).update(confirmed_at=now)
