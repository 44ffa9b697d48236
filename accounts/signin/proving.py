"""Proving who one is while signed in: choosing a way, a new code, the answer.

Whatever could be guessed or costs money is counted in a transaction of its own before it happens.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.counters import Blocked, count_down, count_up
from tenants.limits import CODE_LIFETIME, TRIES_PER_CHALLENGE
from tenants.together import Changes

from ..methods.base import Answer
from ..methods.registry import get_method
from ..models import ProofChallenge, User
from ..sending import CONTACT_KINDS, resend_time, sends_limit
from .asking import Asking, asked_of, draw_questions, find_pending, kill, new_challenge, read_asking
from .proof_codes import put_on_its_way


@dataclass(frozen=True)
class Prover:
    """Who proves something, from where: one person in one session."""

    user: User
    tenant: UUID
    session: bytes
    purpose: str
    site: str
    address: str
    language: str

    def asking(self, now: datetime) -> Asking:
        """The person as they are now, in the tenant's context."""
        return read_asking(
            self.user,
            session=self.session,
            purpose=self.purpose,
            site=self.site,
            address=self.address,
            now=now,
        )


@dataclass(frozen=True)
class ProofResult:
    """What came of a step.

    kind: ok (a code is on its way, or the answer was right), wrong, late, missing, malformed,
    waiting (the answer comes from elsewhere, later), blocked (until when), gone (nothing waits for
    an answer any more), ended (the person says that it is not them).
    """

    kind: Literal[
        "ok", "wrong", "late", "missing", "malformed", "waiting", "blocked", "gone", "ended"
    ]
    method: str = ""
    until: datetime | None = None
    fields: Sequence[str] = ()


def choose(prover: Prover, method: str, channel: str, *, now: datetime) -> ProofResult:
    """Takes up a way to prove it; a code goes to the contact on file."""
    with tenant_context(prover.tenant):
        asking = prover.asking(now)
        problem = _choice_problem(asking, method, channel)
        if problem is not None:
            return problem
        entry = get_method(method)
        limits = (sends_limit(method),) if entry.sends else entry.limits
        counts = [asking.count(name) for name in limits]
        blocked = count_up(counts, now).blocked if counts else None
        if blocked is not None:
            return _too_many(asking, method, blocked)
    with tenant_context(prover.tenant):
        _begin(prover, prover.asking(now), method, channel)
    return ProofResult("ok", method)


def _choice_problem(asking: Asking, method: str, channel: str) -> ProofResult | None:
    if method not in asking.ways:
        return ProofResult("missing", fields=("method",))
    if channel and channel not in {"sms", "voice"}:
        return ProofResult("missing", method, fields=("channel",))
    return None


def _begin(prover: Prover, asking: Asking, method: str, channel: str) -> None:
    if method not in asking.ways:
        return
    kill(asking)
    offered = asking.channels(method) or ()
    chosen = channel if channel in offered else next(iter(offered), "")
    challenge = new_challenge(asking, method, chosen)
    challenge.save(force_insert=True)
    changes = Changes()
    get_method(method).begin(asking.own, asked_of(challenge), asking.context, changes)
    changes.write()
    _record(asking, "user.proof_asked", {"method": method, "channel": chosen})
    if get_method(method).sends:
        put_on_its_way(asking, challenge, prover.language)


def begin_without_choice(prover: Prover, *, now: datetime) -> None:
    """Where the strongest way needs nothing but an answer, the choice is no question."""
    with tenant_context(prover.tenant):
        asking = prover.asking(now)
        first = next(iter(asking.ways), None)
        entry = get_method(first) if first is not None else None
        if entry is None or entry.sends or entry.reaches_out or entry.limits:
            return
        if find_pending(asking) is None:
            _begin(prover, asking, entry.key, "")


def send(prover: Prover, *, now: datetime) -> ProofResult:
    """Sends a new code for the way in hand; the old code dies."""
    with tenant_context(prover.tenant):
        asking = prover.asking(now)
        challenge = find_pending(asking, lock=True, expired=True)
        if challenge is None or not get_method(challenge.method).sends:
            return ProofResult("gone")
        if challenge.method not in asking.ways:
            return ProofResult("gone")
        again_at = resend_time(challenge.sends, challenge.sent_at)
        if again_at is None:
            return ProofResult("missing", challenge.method, fields=("resend",))
        if now < again_at:
            return ProofResult("blocked", challenge.method, until=again_at)
        blocked = count_up([asking.count(sends_limit(challenge.method))], now).blocked
        if blocked is not None:
            return _too_many(asking, challenge.method, blocked)
        challenge.nonce = secrets.token_bytes(16)
        challenge.expires_at = now + CODE_LIFETIME
        challenge.save(update_fields=["nonce", "expires_at"])
        put_on_its_way(asking, challenge, prover.language)
        return ProofResult("ok", challenge.method)


def verify(prover: Prover, answer: Answer, *, now: datetime) -> ProofResult:
    """Judges an answer. Counted first, in a transaction of its own; then compared."""
    with tenant_context(prover.tenant):
        asking = prover.asking(now)
        challenge = find_pending(asking, lock=True, expired=True)
        if challenge is None or challenge.method not in asking.ways:
            return ProofResult("gone")
        problem = _problem(asking, challenge, answer) or _count_try(asking, challenge)
        if problem is not None:
            return problem
    informed = get_method(challenge.method).consult(prover.tenant, answer)
    with tenant_context(prover.tenant):
        asking = prover.asking(now)
        pending = find_pending(asking, lock=True, expired=True)
        if pending is None or pending.pk != challenge.pk:
            return ProofResult("gone")
        return _judge(asking, pending, informed)


def _problem(asking: Asking, challenge: ProofChallenge, answer: Answer) -> ProofResult | None:
    """What is missing or can't be right; nothing is compared or counted then."""
    method = get_method(challenge.method)
    if challenge.questions:
        given = [text.reveal().strip() for text in answer.answers[: len(challenge.questions)]]
        empty = [f"answer_{number}" for number, text in enumerate(given, start=1) if not text]
        if empty:
            return ProofResult("missing", challenge.method, fields=empty)
    else:
        problem = method.problem(answer)
        if problem:
            return ProofResult(problem, challenge.method, fields=("code",))
    if challenge.expires_at <= asking.context.now:
        return ProofResult("late", challenge.method)
    elsewhere = method.asks in {"approval", "redirect"}
    if elsewhere and method.is_waiting(asked_of(challenge), asking.context):
        return ProofResult("waiting", challenge.method)
    return None


def _count_try(asking: Asking, challenge: ProofChallenge) -> ProofResult | None:
    if challenge.tries >= TRIES_PER_CHALLENGE:
        return ProofResult("wrong", challenge.method)
    blocked = count_up([asking.count("failed_step_up")], asking.context.now).blocked
    if blocked is not None:
        return _too_many(asking, challenge.method, blocked)
    challenge.tries += 1
    challenge.save(update_fields=["tries"])
    return None


def _judge(asking: Asking, challenge: ProofChallenge, answer: Answer) -> ProofResult:
    now, registration = asking.context.now, asking.ways.get(challenge.method)
    challenge.judged += 1
    anchor = bytes(challenge.anchor) if challenge.anchor is not None else None
    same = registration is not None and registration.anchor == anchor
    trimmed = replace(answer, answers=answer.answers[: len(challenge.questions)])
    verdict = get_method(challenge.method).verify(
        asking.own if same else None, asked_of(challenge), trimmed, asking.context
    )
    if verdict.right and same:
        # Tries of this challenge that were counted beside it will not be judged.
        count_down(
            [asking.count("failed_step_up")],
            times=1 + challenge.tries - challenge.judged,
            success=True,
        )
        challenge.used_at = now
        challenge.save(update_fields=["judged", "used_at"])
        _confirm_contact(asking, challenge)
        _record(asking, "user.proved", {"method": challenge.method})
        return ProofResult("ok", challenge.method)
    return _fail(asking, challenge, cause=verdict.cause, ends=verdict.ends)


def _fail(asking: Asking, challenge: ProofChallenge, *, cause: str, ends: bool) -> ProofResult:
    left = max(0, TRIES_PER_CHALLENGE - challenge.tries)
    challenge.dead = ends or (left == 0 and challenge.judged >= challenge.tries)
    if challenge.questions:
        challenge.questions = draw_questions(asking)
    if get_method(challenge.method).asks == "assertion":
        # What is signed is asked for once, whatever came of it.
        challenge.nonce = secrets.token_bytes(16)
    challenge.save(update_fields=["judged", "dead", "questions", "nonce"])
    data = {"method": challenge.method, "tries_left": left, "cause": cause}
    _record(asking, "user.proof_failed", data, result="failure")
    return ProofResult("ended" if ends else "wrong", challenge.method)


def _confirm_contact(asking: Asking, challenge: ProofChallenge) -> None:
    """A contact that was filled in for somebody is confirmed by its first use."""
    row = asking.own.contacts.get(CONTACT_KINDS.get(challenge.method, ""))
    if row is not None and row.confirmed_at is None:
        row.confirmed_at = asking.context.now
        row.save(update_fields=["confirmed_at"])


def _too_many(asking: Asking, method: str, block: Blocked) -> ProofResult:
    data = {"limit": block.limit.name, "until": block.until.isoformat()}
    _record(asking, "user.proof_blocked", data)
    return ProofResult("blocked", method, until=block.until, fields=("limit",))


def _record(asking: Asking, event_type: str, data: dict[str, Any], result: Any = "success") -> None:
    party = Party("user", asking.user.pk, asking.user.user_id)
    audit.record(
        event_type,
        actor=party,
        target=party,
        result=result,
        data=data,
        address=asking.address,
        now=asking.context.now,
    )
