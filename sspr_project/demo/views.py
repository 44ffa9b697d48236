"""The messages and app codes of the demo as pages, for people who have no such phone."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_otp.oath import TOTP

from accounts.methods.totp import DIGITS, STEP_SECONDS
from accounts.models import AuthenticatorDevice
from tenants.context import tenant_context
from tenants.lookup import tenant_ids
from tenants.pages import clock, host_tenant, page_context
from tenants.services import get_platform

NEWEST = 50


@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    """The newest messages of all organisations."""
    # The names of the files begin with the time.
    files = sorted(Path(settings.SSPR_OUTBOX_DIR).glob("*.json"), reverse=True)[:NEWEST]
    messages = [_message(path) for path in files]
    return _page(request, "demo_outbox", outbox=messages)


@require_GET
def message(request: HttpRequest, message: UUID) -> HttpResponse:
    """One message whole, its links to be followed."""
    found = next(Path(settings.SSPR_OUTBOX_DIR).glob(f"*-{message}.json"), None)
    if found is None:
        raise Http404
    return _page(request, "demo_message", message=_message(found))


@require_GET
def codes(request: HttpRequest) -> HttpResponse:
    """What everybody's authenticator app shows now."""
    now = timezone.now()
    people: list[dict[str, str]] = []
    for tenant in [*tenant_ids(), get_platform()]:
        with tenant_context(tenant):
            devices = AuthenticatorDevice.objects.filter(confirmed=True).select_related("user")
            people += [
                {"user_id": device.user.user_id, "code": _code(device, now)}
                for device in devices.order_by("user__user_id")[: NEWEST - len(people)]
            ]
    return _page(request, "demo_codes", people=people)


def _page(request: HttpRequest, name: str, **more: Any) -> HttpResponse:
    urls = {"outbox_url": reverse("demo:outbox"), "codes_url": reverse("demo:codes")}
    context = page_context(request, host_tenant(request), state="demo", **urls, **more)
    return render(request, f"portal/{name}.html", context)


def _message(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    created = datetime.fromisoformat(content["created"])
    return {
        "time": clock(created),
        "channel": content["channel"],
        "to": content["to"],
        # A text message or call has no subject; its first line says as much.
        "subject": content["subject"] or content["text"].strip().partition("\n")[0],
        "text": content["text"].strip(),
        "code": content["data"].get("code", ""),
        "url": reverse("demo:message", args=[content["id"]]),
    }


def _code(device: AuthenticatorDevice, now: datetime) -> str:
    app = TOTP(device.read_seed().reveal(), step=STEP_SECONDS, digits=DIGITS)
    app.time = now.timestamp()
    return f"{app.token():0{DIGITS}d}"
