"""The proof a journey waits for: taken up, and given up when there were too many tries."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from accounts.methods.registry import METHODS, get_method
from accounts.sending import channels_of, resend_time
from tenants.counters import Count
from tenants.limits import CODE_LIFETIME
from tenants.policy import STRONGEST_FIRST
from tenants.together import Changes

from ..facts import Situation
from ..flow import Event as Step
from ..models import Challenge, Flow
from .common import Result, asked_of, end, record, subject
from .questions import draw_questions
from .standing import Standing


def offered_channels(situation: Situation, method: str) -> Sequence[str]:
    """Channels of a method under the plan: no calls in a trial or on the free plan."""
    return channels_of(method, voice=situation.facts(synchronised=False).granted.voice)


def concealed_methods(situation: Situation) -> Sequence[str]:
    """What a concealing tenant shows to everybody: what it allows and this product can verify."""
    voice = situation.facts(synchronised=False).granted.voice
    return [
        method
        for method in STRONGEST_FIRST
        if method in situation.rules.methods
        and method in METHODS
        and (voice or method != "office_phone")
    ]


def resend_at(challenge: Challenge) -> datetime | None:
    """When the next code can be asked for; nothing once all are used up."""
    return resend_time(challenge.sends, challenge.sent_at)


def begin(standing: Standing, challenge: Challenge, now: datetime, changes: Changes) -> None:
    """Has the journey wait for this proof."""
    flow = standing.flow
    changes.add(challenge)
    own = standing.own if standing.open_registration(challenge.method) is not None else None
    method = get_method(challenge.method)
    method.begin(own, asked_of(flow, challenge), standing.method_context(), changes)
    data = {"method": challenge.method, "channel": challenge.channel, "step": challenge.step}
    record(flow, "flow.verification_started", now, changes, data=data)


def new_challenge(standing: Standing, method: str, channel: str, now: datetime) -> Challenge:
    """A challenge of the step in hand. One that is only typed lives as long as the journey."""
    flow = standing.flow
    challenge = Challenge(
        flow=flow,
        step=standing.step,
        method=method,
        channel=channel,
        nonce=secrets.token_bytes(16),
        expires_at=min(now + CODE_LIFETIME, flow.expires_at),
        created_at=now,
    )
    if not get_method(method).sends:
        registration = standing.open_registration(method)
        challenge.expires_at = flow.expires_at
        challenge.anchor = registration.anchor if registration is not None else None
        if get_method(method).asks == "answers":
            challenge.questions = draw_questions(standing, flow)
    return challenge


def begin_without_choice(standing: Standing, now: datetime, changes: Changes) -> Challenge | None:
    """Where every method left has to be used and nothing is sent, the choice is no question: the
    proof the journey waits for then."""
    offered = standing.offered()
    forced = len(offered) == standing.steps - standing.step + 1
    method = get_method(offered[0]) if forced else None
    if method is None or method.sends or method.reaches_out:
        return None
    challenge = new_challenge(standing, offered[0], "", now)
    begin(standing, challenge, now, changes)
    return challenge


def lock(flow: Flow, until: datetime | None, now: datetime, changes: Changes) -> Result:
    """Ends a journey because of too many tries; the audit trail calls the block a success."""
    flow.reason = "locked_out"
    end(flow, Step.LOCK, now, changes, until=until)
    when = until.isoformat() if until else ""
    record(flow, "flow.locked", now, changes, data={"until": when})
    return Result("blocked", until=until)


def count_attempt(flow: Flow, situation: Situation, changes: Changes) -> list[Count]:
    """The journey counts as an attempt of the person once its first proof is tried."""
    if flow.attempted:
        return []
    flow.attempted = True
    changes.update(flow, "attempted")
    return [situation.count("reset_attempts", subject(flow))]
