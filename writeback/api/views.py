"""Parse, call one service, sign the answer."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from tenants import bell
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.pages import address_of
from tenants.services import get_platform

from .. import keys
from ..models import Agent
from ..protocol import response_text
from ..services import calls, enrolment, heartbeats, outcome, taking
from ..services.calls import Call, Denied
from ..versions import RECOMMENDED
from ..words import fingerprint
from . import reading
from .callers import Gone, has_left
from .reading import BadBody, OtherProtocol

Answer = tuple[int, Mapping[str, Any] | None]
Action = Callable[..., Answer]


def _call_of(request: HttpRequest) -> Call:
    headers = request.headers
    return Call(
        method=request.method or "",
        path=request.path,
        body=request.body,
        agent=headers.get("Sspr-Agent", ""),
        time=headers.get("Sspr-Time", ""),
        nonce=headers.get("Sspr-Nonce", ""),
        signature=headers.get("Sspr-Signature", ""),
    )


def _door(action: Action) -> Callable[..., HttpResponse]:
    """An address of this door: JSON in, a signed answer out, refusals in one form."""

    @csrf_exempt
    @require_POST
    @wraps(action)
    @sensitive_variables("call")
    def view(request: HttpRequest, **where: Any) -> HttpResponse:
        now = timezone.now()
        if request.content_type != "application/json":
            return HttpResponse(status=415)
        call = _call_of(request)
        try:
            status, body = action(request, call, now, **where)
        except Denied as denied:
            status, body = 403 if denied.fault == "pending" else 401, {"error": denied.fault}
        except OtherProtocol:
            status, body = 409, {"error": "upgrade_required"}
        except (BadBody, heartbeats.BadHeartbeat):
            status, body = 400, {"error": "body"}
        return _answer(call.nonce, status, body, now)

    return view


def _answer(nonce: str, status: int, body: Mapping[str, Any] | None, now: datetime) -> HttpResponse:
    response: HttpResponse
    response = HttpResponse(status=status) if body is None else JsonResponse(body, status=status)
    text = response_text(nonce, status, response.content)
    response.headers["Sspr-Signature"] = base64.b64encode(keys.answer_key().sign(text)).decode()
    response.headers["Sspr-Time"] = str(int(now.timestamp()))
    return response


@_door
def enrol(request: HttpRequest, call: Call, now: datetime) -> Answer:
    """A newcomer with a code. Tries are counted before the code is looked at."""
    at = calls.claim_time(call, now)
    newcomer = reading.newcomer(call.body)
    calls.check_signature(call, newcomer.identity, at)
    with tenant_context(get_platform()):
        count = Count(LIMITS["agent_enrolments"], address_of(request))
        if count_up([count], now).blocked is not None:
            return 429, {"error": "too_many"}
    agent = enrolment.enrol(newcomer, now)
    if agent is None:
        return 403, {"error": "code"}
    return 201, {
        "agent": str(agent.pk),
        "tenant": str(agent.tenant_id),
        "group": str(agent.connector_id),
        "signers": {name: keys.written(key) for name, key in keys.signer_public_keys().items()},
        "api": keys.written(keys.answer_key().public_key()),
        "words": list(fingerprint(bytes(agent.identity))),
    }


@contextmanager
def _calling(request: Any, call: Call, now: datetime) -> Iterator[Agent]:
    """The agent that calls, on a shared host or its own tenant's, as in `calls.calling`."""
    with calls.calling(call, now) as agent:
        if request.host_tenant not in {None, agent.tenant_id}:
            raise Denied("unknown")
        yield agent


@_door
def heartbeat(request: HttpRequest, call: Call, now: datetime) -> Answer:
    with _calling(request, call, now) as agent:
        told = heartbeats.take_heartbeat(agent, reading.heartbeat(call.body), now)
    return 200, {
        **told,
        "time": int(now.timestamp()),
        "recommended": RECOMMENDED,
        "signers": keys.successors(),
    }


@_door
def next_job(request: HttpRequest, call: Call, now: datetime) -> Answer:
    """The next job, at once or when there is one, within the time the agent waits."""
    with _calling(request, call, now) as agent:
        seconds = reading.wait(call.body)
        taken: object = _handed(request, agent, now)
    if taken is None and seconds > 0:
        taken = _waited(request, agent, now, seconds)
    return (200, _shown(taken)) if isinstance(taken, taking.Taken) else (204, None)


def _shown(taken: taking.Taken) -> Mapping[str, Any]:
    return {
        "job": str(taken.job),
        "fence": taken.fence,
        "lease": taken.lease,
        "envelope": base64.b64encode(taken.envelope).decode(),
    }


def _handed(request: HttpRequest, agent: Agent, called_at: datetime) -> taking.Taken | Gone | None:
    """A job, if its agent is still there to hear of it."""
    return Gone() if has_left(request) else taking.take(agent, timezone.now(), called_at)


def _waited(request: HttpRequest, agent: Agent, called_at: datetime, seconds: float) -> object:
    """What `_handed` finds. Asked anew each time, so an agent that was revoked gets nothing."""

    def look() -> taking.Taken | Gone | None:
        with tenant_context(agent.tenant_id):
            if not Agent.objects.filter(pk=agent.pk, state=Agent.State.ACTIVE).exists():
                raise Denied("revoked")
            return _handed(request, agent, called_at)

    with bell.place_to_wait() as may_wait:
        return bell.wait_for(agent.connector_id, look, seconds) if may_wait else None


@_door
def result(request: HttpRequest, call: Call, now: datetime, *, job: UUID) -> Answer:
    """What became of a job, and for who asks for it the next one: one call where jobs wait."""
    with _calling(request, call, now) as agent:
        found = reading.result(call.body)
        reported = outcome.Reported(job, agent, found.fence, found.report)
        accepted = outcome.take_report(reported, now)
        taken = _handed(request, agent, now) if found.asks else None
    following = {"next": _shown(taken)} if isinstance(taken, taking.Taken) else {}
    return 200 if accepted else 409, {"accepted": accepted, **following}
