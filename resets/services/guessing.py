"""What failed proofs set off beyond the journey itself: alerts, suspended gates, disabled methods,
and a word to the person whose tries somebody used up."""

from collections.abc import Mapping
from datetime import datetime

from accounts.contacts import notice_addresses
from accounts.disabled import disable_method
from accounts.methods.registry import get_method
from accounts.people import find_belongings
from notifications.services import Recipient, notify, notify_nobody
from tenants import audit
from tenants.audit import Party
from tenants.counters import Blocked, Count, Counted, count_down, count_up, find_blocks
from tenants.limits import limit_for
from tenants.together import Changes

from ..facts import Situation
from ..guessing import asks_for_more, is_suspended, suspicion
from ..models import Flow
from .common import Result, proof_counts, record, subject
from .notices import language_for
from .standing import Standing

WATCH = Party("system", None, "limits")
EVERYBODY = "all"
TENANT, STREAK, STARTS = "failed_in_tenant", "failed_in_a_row", "starts_by_person"
PROOFS = "failed_proofs"
PAUSED = "paused"
SUSPECTED = "tenant.guessing_suspected"
_LOCKS = (PROOFS, "reset_attempts")


def sound(
    event_type: str,
    situation: Situation,
    now: datetime,
    data: Mapping[str, object],
    changes: Changes,
) -> None:
    """Alerts the tenant's administrators: one event an hour for each type and cause."""
    count = situation.count("alarms", _alarm(event_type, data))
    if count_up([count], now).blocked is None:
        event = audit.Event(
            event_type=event_type, actor=WATCH, result="failure", data=data, now=now
        )
        audit.record_many([event], into=changes)


def _alarm(event_type: str, data: Mapping[str, object]) -> str:
    return f"{event_type} {data.get('cause', '')}"


def watched_at_start(situation: Situation, person: bytes) -> list[Count]:
    """What a start looks at without counting it: the locks of the person, and whether somebody
    seems to guess in the tenant."""
    locks = [situation.count(name, person.hex()) for name in _LOCKS]
    return [*locks, _suspicion(situation)]


def _suspicion(situation: Situation) -> Count:
    tenant = situation.count(TENANT, EVERYBODY)
    return Count(suspicion(tenant.limit), tenant.subject)


def judge_start(counted: Counted, *, hard: bool) -> tuple[Blocked | None, bool]:
    """The lock of the person, and whether the start takes the harder captcha first; the same for
    an ID that exists and one that does not."""
    used_up = [Blocked(count.limit, until) for count, until in counted.holding]
    starts, _ = counted.totals[STARTS]
    suspected = any(block.limit.name == TENANT for block in used_up)
    harder = not hard and asks_for_more(starts, suspected=suspected)
    own = [block for block in used_up if block.limit.name in _LOCKS]
    return max(own, key=lambda block: block.until, default=None), harder


def find_pause(
    flow: Flow,
    situation: Situation,
    method: str,
    counted: Counted,
    now: datetime,
    changes: Changes,
) -> Result | None:
    """While its gate is suspended a method is not judged: the try costs the person nothing, and
    the journey goes on with another one."""
    tenant = situation.count(TENANT, EVERYBODY).limit
    failures, until = counted.totals.get(TENANT, (0, now))
    if not is_suspended(failures, tenant, sends=get_method(method).sends):
        return None
    mine = [c for c in proof_counts(situation, flow, method) if c.limit.name != TENANT]
    count_down(mine, into=changes)
    flow.tries = max(0, flow.tries - 1)
    changes.update(flow, "tries")
    data = {"until": until.isoformat(), "failures": tenant.count}
    sound("tenant.gates_suspended", situation, now, data, changes)
    told = {"limit": TENANT, "until": until.isoformat()}
    record(flow, "flow.blocked", now, changes, data=told)
    return Result("blocked", until=until, field=PAUSED)


def watched_at_failure(situation: Situation) -> list[Count]:
    """What a proof that could fail looks at without counting it: whether the tenant's
    administrators were told lately that somebody seems to guess."""
    return [situation.count("alarms", _alarm(SUSPECTED, {}))]


def shown_by(counted: Counted, situation: Situation) -> dict[str, Blocked]:
    """What counting a try showed to be used up, by the name of its limit, where no other try was
    counted in the journey since."""
    found = {count.limit.name: Blocked(count.limit, until) for count, until in counted.holding}
    tenant, streak, own = (limit_for(name, situation.limits) for name in (TENANT, STREAK, PROOFS))
    for limit in (suspicion(tenant), streak, own):
        total, until = counted.totals[limit.name]
        if total >= limit.count:
            found[limit.name] = Blocked(limit, until)
    return found


def look_again(standing: Standing, method: str, now: datetime) -> dict[str, Blocked]:
    """The same as it is now, where others were counted since."""
    situation, person = standing.situation, subject(standing.flow)
    watched = [
        *watched_at_failure(situation),
        _suspicion(situation),
        situation.count(STREAK, f"{person}:{method}"),
        situation.count(PROOFS, person),
    ]
    used_up = find_blocks(watched, now)
    return {count.limit.name: Blocked(count.limit, until) for count, until in used_up}


def after_failure(
    standing: Standing,
    method: str,
    used_up: Mapping[str, Blocked],
    now: datetime,
    changes: Changes,
) -> Blocked | None:
    """Until when the person can't prove anything any more, once all tries are used up.

    By the limits that are used up: whether somebody seems to guess in the tenant, and whether this
    method failed too often in a row.
    """
    situation, user = standing.situation, standing.flow.user
    if TENANT in used_up and "alarms" not in used_up:
        failures = used_up[TENANT].limit.count
        sound(SUSPECTED, situation, now, {"failures": failures}, changes)
    if STREAK in used_up and user is not None:
        disable_method(user, method, failures=used_up[STREAK].limit.count, now=now)
    return used_up.get(PROOFS)


def tell_blocked(
    flow: Flow, situation: Situation, blocked: Blocked, now: datetime, changes: Changes
) -> None:
    """Tells the person, once a day, that all tries for their account were used up.

    One row for everybody, so that nothing tells whether somebody was written to.
    """
    if blocked.limit.scope not in {"person", "method"}:
        return
    once = situation.count("blocked_notices", subject(flow))
    if count_up([once], now).blocked is not None:
        return
    own = find_belongings(flow.user)
    addresses = notice_addresses(own.user, own.contacts.values()) if own is not None else []
    if flow.user is None or not addresses:
        notify_nobody("blocked_notice", now=now, correlation_id=flow.pk, into=changes)
        return
    notify(
        "blocked_notice",
        "email",
        Recipient(addresses[0], language_for(flow.user, situation), flow.user.display_name),
        {
            "name": flow.user.display_name,
            "when": now.isoformat(),
            "until": blocked.until.isoformat(),
        },
        now=now,
        reference=flow.reference,
        correlation_id=flow.pk,
        into=changes,
    )
