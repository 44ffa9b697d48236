"""Choosing a method, and putting a code on its way.

Where a code is sent the contact was typed in full before (Entra). One that is not the one on file
gets the same answer and no message, and counts as a proof that failed. Both cost the same work.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial

from accounts.contacts import same_contact
from accounts.methods.registry import get_method
from accounts.numbers import dialled
from accounts.sending import (
    CONTACT_KINDS,
    NOBODY,
    PHONE_CHANNELS,
    destination_counts,
    problem_of,
    sends_limit,
)
from notifications.services import CodeSource, Recipient, notify, notify_nobody
from tenants.counters import Blocked, Count, Counted, count_down, count_up
from tenants.limits import CODE_LIFETIME, LIMITS, TRIES_PER_FLOW
from tenants.together import Changes

from ..facts import Situation
from ..flow import State
from ..models import Challenge
from .challenges import (
    begin,
    count_attempt,
    lock,
    new_challenge,
    offered_channels,
    resend_at,
)
from .common import (
    Handle,
    Result,
    bound_to,
    get_asked_flow,
    kill_challenges,
    proof_counts,
    record,
    step_in,
    subject,
    until_of,
)
from .denial import deny
from .guessing import find_pause, sound, tell_blocked
from .standing import Standing, standing_of
from .stepping import Seen, take_step

NOBODIES = 64
"""Counters of nobody that wrong contacts are spread over."""


@dataclass(frozen=True)
class _Chosen:
    """What was asked for; `blocked` when the person was sent too many codes already."""

    method: str
    contact: str
    channel: str
    blocked: Blocked | None = None


@dataclass(frozen=True)
class _Proof:
    """A contact that is counted as a proof. number: of the tries of its journey."""

    seen: Seen
    counted: Counted
    number: int


def choose(handle: Handle, method: str, *, contact: str, channel: str, now: datetime) -> Result:
    """Takes up a method, after the contact was counted as a proof that could fail."""
    asked = _Chosen(method, contact, channel)
    proof = take_step(handle, now, partial(_count_choice, asked, now))
    if isinstance(proof, Result):
        return proof
    return take_step(handle, now, partial(_send_chosen, proof, asked, now), seen=proof.seen)


def _count_choice(asked: _Chosen, now: datetime, seen: Seen, changes: Changes) -> Result | _Proof:
    """What came of the choice already, or the proof that was counted."""
    flow, standing = seen.flow, seen.standing
    if flow.state != State.PROVING:
        return Result("not_now")
    if asked.method and asked.method not in flow.methods:
        return deny(flow, "choose", now, changes, field="method")
    problem = _choice_problem(standing.situation, asked)
    if problem is not None:
        return problem
    if not get_method(asked.method).sends:
        return _take_up(standing, asked.method, now, changes)
    return _count_contact(seen, asked.method, now, changes)


def _send_chosen(
    proof: _Proof, asked: _Chosen, now: datetime, seen: Seen, changes: Changes
) -> Result:
    """Refuses a choice that was one too many, or sends the code."""
    if seen.flow.state != State.PROVING:
        return Result("not_now")
    counted = _refuse_choice(proof, seen.standing, asked.method, now, changes)
    if isinstance(counted, Result):
        return counted
    return _compare_and_send(seen.standing, replace(asked, blocked=counted), now, changes)


def _choice_problem(situation: Situation, chosen: _Chosen) -> Result | None:
    method, channel = chosen.method, chosen.channel
    if not method:
        return Result("missing", field="method")
    if channel not in {"", *PHONE_CHANNELS}:
        return Result("missing", field="channel")
    offered = offered_channels(situation, method)
    if method == "mobile_phone" and channel and channel not in offered:
        return Result("missing", field="channel")
    if get_method(method).sends and not chosen.contact.strip():
        return Result("missing", field="contact")
    return None


def _take_up(standing: Standing, method: str, now: datetime, changes: Changes) -> Result:
    """A method for which nothing is sent. Asking is counted where it reaches somebody."""
    flow = standing.flow
    if method not in standing.offered():
        return deny(flow, "choose", now, changes, field="method")
    counts = [_asking_count(standing, name) for name in get_method(method).limits]
    blocked = count_up(counts, now, along=changes).blocked if counts else None
    if blocked is not None:
        return _too_many(standing, blocked, now, changes, field="asked")
    kill_challenges(flow, changes)
    challenge = new_challenge(standing, method, "", now)
    begin(standing, challenge, now, changes)
    return Result("ok", left=(standing, challenge))


def _asking_count(standing: Standing, name: str) -> Count:
    """What asking for a proof is counted on: the journey, or the person over all of them."""
    flow = standing.flow
    is_of_journey = LIMITS[name].scope == "journey"
    return standing.situation.count(name, flow.pk.hex if is_of_journey else subject(flow))


def _count_contact(seen: Seen, method: str, now: datetime, changes: Changes) -> _Proof:
    """Counts the proof and the sending."""
    flow, situation = seen.flow, seen.standing.situation
    flow.tries += 1
    changes.update(flow, "tries")
    counts = proof_counts(situation, flow, method)
    counts += count_attempt(flow, situation, changes)
    counts.append(situation.count(sends_limit(method), subject(flow)))
    return _Proof(seen, count_up(counts, now, along=changes, ends=True), flow.tries)


def _refuse_choice(
    proof: _Proof, standing: Standing, method: str, now: datetime, changes: Changes
) -> Result | Blocked | None:
    """What ends the journey or has it wait, or the block on sending if any."""
    flow, situation, over = standing.flow, standing.situation, proof.counted.over
    sends = next((block for block in over if block.limit.name == sends_limit(method)), None)
    proofs = [block for block in over if block is not sends]
    if proofs or proof.number > TRIES_PER_FLOW:
        longest = max(proofs, key=lambda block: block.until, default=None)
        if longest is not None:
            tell_blocked(flow, situation, longest, now, changes)
        return lock(flow, until_of(longest), now, changes)
    pause = find_pause(flow, situation, method, proof.counted, now, changes)
    if pause is not None:
        count_down([situation.count(sends_limit(method), subject(flow))], into=changes)
    return pause or sends


def _compare_and_send(
    standing: Standing, chosen: _Chosen, now: datetime, changes: Changes
) -> Result:
    flow, situation = standing.flow, standing.situation
    if chosen.method not in standing.offered():
        sends = situation.count(sends_limit(chosen.method), subject(flow))
        _take_back(standing, chosen.method, changes, sends)
        return deny(flow, "choose", now, changes, field="method")
    registration = standing.open_registration(chosen.method)
    address = _address_typed(standing, chosen) if registration is not None else None
    if address is not None:
        _take_back(standing, chosen.method, changes)
    else:
        # The same statement, for counters of nobody, which hold nothing: time must not tell what is
        # on file. Several, or everybody's wrong addresses would queue up at one row.
        nobody = f"{NOBODY} {flow.pk.int % NOBODIES}"
        counts = proof_counts(situation, flow, chosen.method)
        count_down([replace(count, subject=nobody) for count in counts], into=changes)
        changes.update(flow, "tries")
    if chosen.blocked is not None:
        return _too_many(standing, chosen.blocked, now, changes)
    channel = _channel(situation, chosen)
    challenge = new_challenge(standing, chosen.method, channel, now)
    if address is not None and registration is not None:
        challenge.anchor = registration.anchor
    kill_challenges(flow, changes)
    begin(standing, challenge, now, changes)
    goal = _Destination(standing, challenge, address)
    counted = count_up(goal.counts(), now, along=changes.holding())
    _put_on_its_way(standing, challenge, goal.allowed(counted, now, changes), now, changes)
    return Result("ok", left=(standing, challenge))


def _take_back(standing: Standing, method: str, changes: Changes, *more: Count) -> None:
    flow = standing.flow
    count_down([*proof_counts(standing.situation, flow, method), *more], into=changes)
    flow.tries = max(0, flow.tries - 1)
    changes.update(flow, "tries")


def _address_typed(standing: Standing, chosen: _Chosen) -> str | None:
    """The address or number on file, if it is the one that was typed."""
    row = standing.own.contacts.get(CONTACT_KINDS[chosen.method]) if standing.own else None
    stored = row.read().reveal() if row is not None else ""
    same = row is not None and same_contact(row.kind, stored, chosen.contact)
    return stored if same else None


def _channel(situation: Situation, chosen: _Chosen) -> str:
    """What was asked for, where there is a choice: other methods' forms send the field too."""
    offered = offered_channels(situation, chosen.method)
    return chosen.channel if chosen.channel in offered else next(iter(offered), "")


def _too_many(
    standing: Standing, block: Blocked, now: datetime, changes: Changes, *, field: str = "channel"
) -> Result:
    """The person was sent or asked too much; the proof in hand, if any, is over."""
    flow, until = standing.flow, block.until.isoformat()
    kill_challenges(flow, changes)
    record(flow, "flow.blocked", now, changes, data={"limit": block.limit.name, "until": until})
    return Result("blocked", until=block.until, field=field)


def send(handle: Handle, *, now: datetime) -> Result:
    """Sends a new code for the method in hand; the old code dies (R-10)."""
    with step_in(handle.tenant) as changes:
        flow, challenge = get_asked_flow(handle, now, changes)
        if flow.state != State.PROVING or challenge is None:
            return Result("not_now")
        if not get_method(challenge.method).sends:
            return Result("not_now")
        again_at = resend_at(challenge)
        if again_at is None:
            return Result("missing", field="resend")
        if now < again_at:
            return Result("blocked", until=again_at)
        return _send_again(standing_of(flow, now), challenge, now, changes)


def _send_again(
    standing: Standing, challenge: Challenge, now: datetime, changes: Changes
) -> Result:
    flow, name = standing.flow, sends_limit(challenge.method)
    challenge.nonce = secrets.token_bytes(16)
    challenge.expires_at = min(now + CODE_LIFETIME, flow.expires_at)
    changes.update(challenge, "nonce", "expires_at")
    address = _address_on_file(standing, challenge)
    counts = [standing.situation.count(name, subject(flow))]
    goal = _Destination(standing, challenge, address)
    counted = count_up([*counts, *goal.counts()], now)
    sends = next((block for block in counted.over if block.limit.name == name), None)
    if sends is not None:
        return _too_many(standing, sends, now, changes)
    _put_on_its_way(standing, challenge, goal.allowed(counted, now, changes), now, changes)
    return Result("ok")


def _address_on_file(standing: Standing, challenge: Challenge) -> str | None:
    """The address or number on file, only when it was typed in full before."""
    if standing.own is None or challenge.anchor is None:
        return None
    row = standing.own.contacts.get(CONTACT_KINDS[challenge.method])
    if row is None or bytes(row.lookup) != bytes(challenge.anchor):
        return None
    return row.read().reveal()


@dataclass(frozen=True)
class _Destination:
    """Where a code would go, and whether anything goes there. Where not, the person sees no
    difference; what smells of fraud alerts the administrators."""

    standing: Standing
    challenge: Challenge
    address: str | None

    @cached_property
    def problem(self) -> str | None:
        if self.address is None:
            return None
        policy = self.standing.situation.policy
        countries = policy.phone_countries if policy else ()
        return problem_of(self.address, is_mail=self._is_mail, countries=countries)

    @property
    def _is_mail(self) -> bool:
        return get_method(self.challenge.method).contact == "email"

    def counts(self) -> list[Count]:
        """What a sending is counted on at its destination, over all tenants together."""
        goes = self.address if self.problem is None else None
        instead = f"{NOBODY} {subject(self.standing.flow)}"
        return destination_counts(goes, is_mail=self._is_mail, instead=instead)

    def allowed(self, counted: Counted, now: datetime, changes: Changes) -> str | None:
        """The address, unless nothing may go there."""
        over = {block.limit.name for block in counted.over}
        cause = self.problem
        if cause is None and self.address is not None and "sends_to_prefix" in over:
            cause = "prefix"
        if cause is not None:
            data = {"cause": cause, "channel": self.challenge.channel}
            situation = self.standing.situation
            sound("tenant.sending_suspected", situation, now, data, changes)
        return self.address if cause is None and not over else None


def _put_on_its_way(
    standing: Standing,
    challenge: Challenge,
    address: str | None,
    now: datetime,
    changes: Changes,
) -> None:
    """Writes one outbox row: the code, or a decoy that goes nowhere.

    A used-up limit of the destination is not told, because it counts over all tenants.
    """
    flow = standing.flow
    challenge.sends += 1
    challenge.sent_at = now
    changes.update(challenge, "sends", "sent_at")
    if address is not None:
        _notify(standing, challenge, address, now, changes)
    else:
        notify_nobody("code", now=now, lifetime=CODE_LIFETIME, correlation_id=flow.pk, into=changes)
    data = {
        "method": challenge.method,
        "channel": challenge.channel,
        "step": challenge.step,
        "sends": challenge.sends,
    }
    record(flow, "flow.verification_sent", now, changes, data=data)


def _notify(
    standing: Standing, challenge: Challenge, address: str, now: datetime, changes: Changes
) -> None:
    flow, policy = standing.flow, standing.situation.policy
    to = address
    if challenge.channel in PHONE_CHANNELS:
        to = dialled(address, with_extension=policy is not None and policy.pass_extension)
    notify(
        "code",
        challenge.channel,
        Recipient(to, flow.language, standing.person.display_name),
        {},
        now=now,
        lifetime=challenge.expires_at - now,
        code=CodeSource(bytes(challenge.nonce), bound_to(flow, challenge)),
        reference=flow.reference,
        correlation_id=flow.pk,
        into=changes,
    )
