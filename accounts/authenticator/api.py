"""The JSON doors of the app. Everything but the enrolment is signed by the device's key.

No cookie says who asks, so another site can't ask in anybody's name.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notifications import push
from tenants.context import tenant_context
from tenants.lookup import find_tenant, tenants_of_guest
from tenants.pages import address_of

from ..identifiers import canonical, find_domain
from ..models import ApprovalRequest
from ..people import guest_lookup
from .callers import Call, Caller, Unheard, identify, note_stranger, parse_device, text_of
from .decisions import DECISIONS, Decision, decide, pending_for
from .enrolment import Enrolled, Offer, enrol

JSON = "application/json"
LONGEST_BODY = 8 * 1024
_STATUS = {"mismatch": 403, "over": 409}

Body = Mapping[str, object]
SignedView = Callable[[Caller, Body, datetime], HttpResponse]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _error(cause: str, status: int, now: datetime) -> JsonResponse:
    return JsonResponse({"error": cause, "now": _milliseconds(now)}, status=status)


def _find_body(request: HttpRequest) -> Body | None:
    """The JSON object that was sent; nothing for anything else."""
    if request.content_type != JSON or len(request.body) > LONGEST_BODY:
        return None
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def signed(view: SignedView) -> Callable[[HttpRequest], HttpResponse]:
    """A view for a device that signed its request; everybody else learns nothing."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        body = _find_body(request)
        if body is None:
            return _error("malformed", 400, now)
        call = _call_of(request)
        caller = identify(call, getattr(request, "host_tenant", None), now)
        if isinstance(caller, Unheard):
            _note(call, body, caller, now)
            return _error(caller.cause, 401, now)
        return view(caller, body, now)

    return wrapped


def _call_of(request: HttpRequest) -> Call:
    return Call(
        device=request.headers.get("Sspr-Device", "")[:100],
        path=request.path,
        body=request.body,
        stamp=request.headers.get("Sspr-Stamp", "")[:20],
        signature=request.headers.get("Sspr-Signature", "")[:200],
        address=address_of(request),
    )


def _note(call: Call, body: Body, why: Unheard, now: datetime) -> None:
    """An answer to a request that no device of its tenant signed is in that tenant's trail."""
    named, request_id = parse_device(call.device), _find_id(body, "request")
    if why.cause != "unknown" or named is None or request_id is None:
        return
    note_stranger(named[0], request_id, address=call.address, now=now)


def _find_id(body: Body, name: str) -> UUID | None:
    try:
        return UUID(text_of(body, name, 36))
    except ValueError:
        return None


@signed
def pending(caller: Caller, body: Body, now: datetime) -> HttpResponse:
    """What the device may answer. Never the number: that is on the other screen."""
    with tenant_context(caller.tenant):
        takes_push = bool(push.subscriptions_of([caller.credential.pk]))
    paused = caller.credential.paused_until if caller.is_paused(now) else None
    return JsonResponse(
        {
            "now": _milliseconds(now),
            "proved": caller.is_proved,
            "push": takes_push,
            "paused": _milliseconds(paused) if paused is not None else None,
            "requests": [_shown(row, caller) for row in pending_for(caller, now)],
        }
    )


def _shown(row: ApprovalRequest, caller: Caller) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "challenge": str(row.challenge),
        "tenant": str(caller.tenant),
        "purpose": row.purpose,
        "person": caller.user.user_id,
        "reference": row.reference,
        "address": row.address,
        "asked": _milliseconds(row.created_at),
        "expires": _milliseconds(row.expires_at),
    }


@signed
def decision(caller: Caller, body: Body, now: datetime) -> HttpResponse:
    """Approve with the number, deny, or "it was not me"."""
    request_id, word = _find_id(body, "request"), text_of(body, "decision", 10)
    if request_id is None or word not in DECISIONS:
        return _error("malformed", 400, now)
    found = Decision(request_id, word, text_of(body, "number", 2), text_of(body, "signature"))
    outcome = decide(caller, found, now)
    return JsonResponse({"outcome": outcome}, status=_STATUS.get(outcome, 200))


@signed
def alerts(caller: Caller, body: Body, now: datetime) -> HttpResponse:
    """Where the device takes Web Push messages; without a subscription it takes none any more."""
    given = body.get("subscription")
    with tenant_context(caller.tenant):
        if given is None:
            push.unsubscribe([caller.credential.pk])
            return JsonResponse({"push": False})
        try:
            target = push.read_target(given)
        except push.PushRefused:
            return _error("subscription", 400, now)
        push.subscribe(caller.credential.pk, target, now)
    return JsonResponse({"push": True})


@csrf_exempt
@require_POST
def enrolment(request: HttpRequest) -> HttpResponse:
    """A new device: a code, a key, and a signature that proves that the key is its own."""
    now = timezone.now()
    body = _find_body(request)
    if body is None:
        return _error("malformed", 400, now)
    offer = Offer(
        code=text_of(body, "code", 40),
        key=text_of(body, "key", 100),
        signature=text_of(body, "signature"),
        name=text_of(body, "name"),
    )
    for tenant in _tenants_meant(request, body):
        found = enrol(tenant, offer, address=address_of(request), now=now)
        if found is not None:
            return JsonResponse(_welcome(found, now))
    return _error("code", 400, now)


def _welcome(found: Enrolled, now: datetime) -> dict[str, Any]:
    from .pages import manifest_url

    tenant = parse_device(found.device)
    return {
        "now": _milliseconds(now),
        "device": found.device,
        "seed": found.seed,
        "person": found.person,
        "organisation": found.organisation,
        "color": found.color,
        "manifest": manifest_url(tenant[0]) if tenant else "",
    }


def _tenants_meant(request: Any, body: Body) -> list[UUID]:
    """Where the code may be good: the host's tenant, the one in the scanned code, else those that
    know the typed user ID."""
    if request.host_tenant is not None:
        return [request.host_tenant]
    scanned = _find_id(body, "tenant")
    if scanned is not None:
        return [scanned]
    wanted = canonical(text_of(body, "user_id", 320))
    domain = find_domain(wanted)
    owner = find_tenant(domain=domain) if domain else None
    if owner is not None:
        return [owner]
    return tenants_of_guest(guest_lookup(wanted)) if "@" in wanted and wanted.isascii() else []
