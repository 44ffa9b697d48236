"""Proving who one is: answering what was asked.

Every answer is counted in a transaction of its own before it is judged (R-9); what was counted is
taken back when the answer was right.
"""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from accounts.methods.base import Answer, Registration, Verdict
from accounts.methods.registry import get_method
from accounts.models import ContactPoint, User
from accounts.sending import CONTACT_KINDS
from tenants.counters import Counted, count_down, count_up
from tenants.limits import TRIES_PER_CHALLENGE, TRIES_PER_FLOW
from tenants.together import Changes

from ..flow import Event as Step
from ..flow import State
from ..models import REHEARSAL, UNLOCK, Challenge, Flow, Gate
from .challenges import begin_without_choice, count_attempt, lock
from .common import (
    Handle,
    Result,
    asked_of,
    end,
    move,
    proof_counts,
    record,
    secret_hash,
    subject,
    until_of,
)
from .gates import gate_seal
from .guessing import (
    after_failure,
    find_pause,
    look_again,
    shown_by,
    tell_blocked,
    watched_at_failure,
)
from .questions import draw_questions
from .standing import Standing
from .stepping import Seen, take_step
from .successor import next_secret
from .writing import describe_rules

NOT_ME = "not_me"
"""The reason of a journey that its person reported as not theirs."""


@dataclass(frozen=True)
class _Try:
    """A try that is counted. number: of the tries of its journey."""

    seen: Seen
    challenge: Challenge
    counted: Counted
    number: int


@dataclass(frozen=True)
class _Given:
    """An answer, and the secret that the browser held with it."""

    answer: Answer
    secret: str = field(repr=False)


def verify(handle: Handle, answer: Answer, *, now: datetime) -> Result:
    """Judges a code or answers. Counted first, in a transaction of its own; then compared."""
    tried = take_step(handle, now, partial(_count_try, answer, now))
    if isinstance(tried, Result):
        return tried
    informed = get_method(tried.challenge.method).consult(handle.tenant, answer)
    judge = partial(_decide, tried, _Given(informed, handle.secret), now)
    # While a service outside was asked, what the person has may have changed.
    return take_step(handle, now, judge, seen=tried.seen if informed is answer else None)


def _count_try(answer: Answer, now: datetime, seen: Seen, changes: Changes) -> Result | _Try:
    """Counts a try, or says why there is nothing to judge. Only one at a time raises the number of
    tries, so that of many at once exactly as many are judged as are allowed."""
    flow, challenge = seen.flow, seen.challenge
    if flow.state != State.PROVING or challenge is None:
        return Result("not_now")
    problem = _problem(seen.standing, challenge, answer)
    if problem is not None:
        return problem
    if challenge.expires_at <= now:
        return Result("late")
    if challenge.tries >= TRIES_PER_CHALLENGE:
        return Result("wrong")
    situation = seen.standing.situation
    flow.tries += 1
    challenge.tries += 1
    changes.update(flow, "tries")
    changes.update(challenge, "tries")
    counts = proof_counts(situation, flow, challenge.method)
    counts += count_attempt(flow, situation, changes)
    watching = watched_at_failure(situation)
    counted = count_up(counts, now, watching=watching, along=changes, ends=True)
    return _Try(seen, challenge, counted, flow.tries)


def _decide(tried: _Try, given: _Given, now: datetime, seen: Seen, changes: Changes) -> Result:
    """Refuses a try that was one too many, judges any other."""
    challenge = seen.challenge
    if seen.flow.state != State.PROVING or challenge is None or challenge.pk != tried.challenge.pk:
        return Result("not_now")
    refusal = _refuse_try(tried, seen.standing, challenge, now, changes)
    if refusal is not None:
        return refusal
    return _judge(tried, given, seen.standing, challenge, now, changes)


def _problem(standing: Standing, challenge: Challenge, answer: Answer) -> Result | None:
    """What is missing or can't be right; such a try is not counted because nothing is compared."""
    method = get_method(challenge.method)
    if challenge.questions:
        given = [text.reveal().strip() for text in answer.answers[: len(challenge.questions)]]
        empty = [f"answer_{number}" for number, text in enumerate(given, start=1) if not text]
        return Result("missing", fields=empty) if empty else None
    problem = method.problem(answer)
    if problem:
        return Result(problem, field="code")
    asked = asked_of(standing.flow, challenge)
    context = standing.situation.method_context(standing.flow.site)
    waiting = method.asks == "approval" and method.is_waiting(asked, context)
    return Result("waiting") if waiting else None


def _refuse_try(
    tried: _Try, standing: Standing, challenge: Challenge, now: datetime, changes: Changes
) -> Result | None:
    """Where earlier tries still wait for their judgement, the last of them ends the journey."""
    flow, situation, blocked = standing.flow, standing.situation, tried.counted.blocked
    if blocked is None and tried.number <= TRIES_PER_FLOW:
        pause = find_pause(flow, situation, challenge.method, tried.counted, now, changes)
        if pause is None:
            return None
        _not_tried(challenge, changes)
        return pause
    _not_tried(challenge, changes)
    if challenge.judged < challenge.tries:
        return Result("blocked", until=until_of(blocked))
    if blocked is not None:
        tell_blocked(flow, situation, blocked, now, changes)
    return lock(flow, until_of(blocked), now, changes)


def _not_tried(challenge: Challenge, changes: Changes) -> None:
    challenge.tries -= 1
    changes.update(challenge, "tries")


@dataclass(frozen=True)
class _Passing:
    standing: Standing
    challenge: Challenge
    registration: Registration
    evidence: str
    secret: str = field(repr=False)


def _judge(
    tried: _Try,
    given: _Given,
    standing: Standing,
    challenge: Challenge,
    now: datetime,
    changes: Changes,
) -> Result:
    registration = standing.open_registration(challenge.method)
    challenge.judged += 1
    anchor = bytes(challenge.anchor) if challenge.anchor is not None else None
    same = registration is not None and registration.anchor == anchor
    answer = replace(given.answer, answers=given.answer.answers[: len(challenge.questions)])
    verdict = get_method(challenge.method).verify(
        standing.own if same else None,
        asked_of(standing.flow, challenge),
        answer,
        standing.method_context(),
        changes,
    )
    if verdict.ends:
        return _repudiated(standing, challenge, now, changes)
    if not verdict.right or registration is None or challenge.method not in standing.offered():
        return _fail(tried, standing, challenge, verdict, now, changes)
    following = next_secret(standing.flow.pk, challenge.pk, given.secret, answer)
    passing = _Passing(standing, challenge, registration, verdict.evidence, following)
    return _pass(passing, now, changes)


def _fail(
    tried: _Try,
    standing: Standing,
    challenge: Challenge,
    verdict: Verdict,
    now: datetime,
    changes: Changes,
) -> Result:
    flow = standing.flow
    left = max(0, TRIES_PER_CHALLENGE - challenge.tries)
    data = {"method": challenge.method, "step": challenge.step, "tries_left": left}
    cause = {**data, "cause": verdict.cause}
    record(flow, "flow.verification_failed", now, changes, result="failure", data=cause)
    if challenge.questions:
        challenge.questions = draw_questions(standing, flow)
    if get_method(challenge.method).asks == "assertion":
        # What is signed is asked for once, whatever came of it.
        challenge.nonce = secrets.token_bytes(16)
        changes.update(challenge, "nonce")
    all_judged = challenge.judged >= challenge.tries
    # What somebody decided is decided: it is asked anew, or not at all.
    decided = get_method(challenge.method).asks == "approval"
    challenge.dead = decided or (left == 0 and all_judged)
    changes.update(challenge, "questions", "dead", "judged")
    if verdict.excused:
        count_down(proof_counts(standing.situation, flow, challenge.method), into=changes)
        return Result("wrong", tries_left=left, field="unavailable")
    used_up = (
        shown_by(tried.counted, standing.situation)
        if standing is tried.seen.standing
        else look_again(standing, challenge.method, now)
    )
    block = after_failure(standing, challenge.method, used_up, now, changes)
    if all_judged and (block is not None or flow.tries >= TRIES_PER_FLOW):
        if block is not None:
            tell_blocked(flow, standing.situation, block, now, changes)
        return lock(flow, until_of(block), now, changes)
    field = challenge.method if decided else ""
    return Result("wrong", tries_left=left, field=field, left=_left_by(standing, challenge))


def _repudiated(
    standing: Standing, challenge: Challenge, now: datetime, changes: Changes
) -> Result:
    """The person said elsewhere that this is not theirs: nothing can be proved any more."""
    changes.update(challenge, "judged")
    refuse_repudiated(standing.flow, challenge.method, now, changes)
    return Result("not_now")


def refuse_repudiated(flow: Flow, method: str, now: datetime, changes: Changes) -> None:
    """Ends an open, locked journey whose person reported it."""
    flow.reason = NOT_ME
    end(flow, Step.REFUSE, now, changes)
    found = {"method": method, "cause": NOT_ME}
    record(flow, "flow.verification_failed", now, changes, result="failure", data=found)
    why = {"reason": NOT_ME, "policy": flow.policy}
    record(flow, "flow.refused", now, changes, result="denied", reason=NOT_ME, data=why)


def _left_by(standing: Standing, challenge: Challenge) -> tuple[Standing, Challenge | None]:
    """Where the journey stands after a failure, which may have disabled the method."""
    user = standing.flow.user
    disabled = user is not None and challenge.method in user.disabled_methods
    after = replace(standing, assessed=None) if disabled else standing
    return after, None if challenge.dead else challenge


def _pass(passing: _Passing, now: datetime, changes: Changes) -> Result:
    standing, challenge = passing.standing, passing.challenge
    flow = standing.flow
    # What was typed twice at once costs nothing: no other try of this challenge is judged any more.
    taken_back = 1 + challenge.tries - challenge.judged
    challenge.used_at = now
    changes.update(challenge, "used_at", "judged")
    gate = _opened_gate(passing, now)
    changes.add(gate)
    counts = proof_counts(standing.situation, flow, challenge.method)
    count_down(counts, times=taken_back, success=True, into=changes)
    is_another = _confirm_contact(passing, now, changes)
    missing = max(0, flow.gates_required - standing.step)
    if missing:
        move(flow, Step.PASS_GATE)
    elif flow.operation == REHEARSAL:
        _end_rehearsal(flow, standing, now, changes)
    else:
        _ask_what_next(flow, standing, now, changes)
    flow.secret_hash = secret_hash(passing.secret)
    flow.tries = max(0, flow.tries - taken_back)
    changes.update(flow, "state", "secret_hash", "tries")
    data = {"method": challenge.method, "step": standing.step, "gates_missing": missing}
    record(flow, "flow.verification_completed", now, changes, data=data)
    # The person may do what they could before, unless the contact counts for something else now.
    assessed = None if is_another else standing.assessment
    after = replace(standing, gates=(*standing.gates, gate), assessed=assessed)
    waited = begin_without_choice(after, now, changes) if missing else None
    handle = Handle(flow.tenant_id, flow.pk, passing.secret)
    return Result("ok", handle=handle, left=(after, waited))


def _opened_gate(passing: _Passing, now: datetime) -> Gate:
    standing, challenge = passing.standing, passing.challenge
    gate = Gate(
        flow=standing.flow,
        challenge=challenge,
        step=standing.step,
        method=challenge.method,
        user=standing.flow.user,
        anchor=passing.registration.anchor,
        evidence=passing.evidence,
        seal=b"",
        passed_at=now,
    )
    gate.seal = gate_seal(standing.flow, gate, standing.step)
    return gate


def _ask_what_next(flow: Flow, standing: Standing, now: datetime, changes: Changes) -> None:
    """A new password; or, where the policy leaves it to the person, whether that or an unlock."""
    move(flow, Step.PASS_LAST_GATE)
    if UNLOCK not in standing.assessment.decision.operations:
        move(flow, Step.ASK_PASSWORD)
    if standing.person.source != User.Source.CLOUD:
        describe_rules(standing.person, flow, now, changes)


def _end_rehearsal(flow: Flow, standing: Standing, now: datetime, changes: Changes) -> None:
    """Everything was proved, and nothing is changed: it does not count as an attempt."""
    move(flow, Step.PASS_LAST_GATE)
    end(flow, Step.REHEARSE, now, changes)
    count_down([standing.situation.count("reset_attempts", subject(flow))], into=changes)
    standing.person.rehearsed_at = now
    changes.update(standing.person, "rehearsed_at")
    record(flow, "flow.rehearsed", now, changes, data={"methods": list(flow.methods)})


def _confirm_contact(passing: _Passing, now: datetime, changes: Changes) -> bool:
    """A contact that was filled in for somebody is confirmed by its first use; what was reached is
    not stale. Whether it was not so before."""
    kind = CONTACT_KINDS.get(passing.challenge.method, "")
    own = passing.standing.own
    row: ContactPoint | None = own.contacts.get(kind) if own is not None else None
    if row is None:
        return False
    is_another = row.confirmed_at is None or row.stale_at is not None
    row.confirmed_at = row.confirmed_at or now
    row.used_at, row.stale_at = now, None
    changes.update(row, "confirmed_at", "used_at", "stale_at")
    return is_another
