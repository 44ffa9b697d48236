"""The pages of the app, its manifest and its service worker."""

import hashlib
import json
import re
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from notifications.push import public_key
from tenants.colors import readable_on
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.pages import host_tenant, page_context

from ..signin.person import SignedIn, for_signed_in
from .approvals import is_open
from .enrolment import find_pending

WORKER = Path(settings.BASE_DIR) / "static" / "js" / "authenticator-worker.js"
COLOR = "#0b5cad"
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SALT = "accounts.authenticator.manifest"
FILES = (
    "css/portal.css",
    "css/authenticator.css",
    "js/forms.js",
    "js/authenticator-keys.js",
    "js/authenticator-pages.js",
    "js/authenticator.js",
    "favicon.svg",
    "icons/authenticator-192.png",
)
"""What the app needs when it is offline."""


def manifest_url(tenant: UUID) -> str:
    """Where a device of this tenant finds its manifest on the shared host; nobody can guess it."""
    return reverse("authenticator:manifest_of", args=[_signer().sign(tenant.hex)])


def _signer() -> signing.Signer:
    return signing.Signer(sep=".", salt=_SALT)


@require_safe
def app(request: HttpRequest) -> HttpResponse:
    """Requests, codes, history: filled in by the device itself, which alone knows whose it is."""
    return render(request, "authenticator/app.html", _context(request))


@require_safe
def enrol(request: HttpRequest) -> HttpResponse:
    """Sets this device up with a code. A scanned one is in the fragment, which is never sent."""
    context = _context(request, asks_user_id=host_tenant(request) is None)
    return render(request, "authenticator/enrol.html", context)


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the app shows without a network: codes and history."""
    return render(request, "authenticator/app.html", _context(request, offline=True))


def _context(request: HttpRequest, **more: object) -> dict[str, object]:
    return page_context(
        request,
        host_tenant(request),
        state="authenticator",
        push_key=public_key(),
        manifest=reverse("authenticator:manifest"),
        worker=reverse("authenticator:worker"),
        **more,
    )


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """The app as it is installed: the tenant's on its own host, else the installation's."""
    return _manifest(host_tenant(request), "/authenticator/")


@require_safe
def manifest_of(request: HttpRequest, token: str) -> HttpResponse:
    """A tenant's app on the shared host, for a device that was enrolled there."""
    try:
        tenant = UUID(hex=_signer().unsign(token))
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    own = host_tenant(request)
    if own is not None and own.pk != tenant:
        raise Http404
    with tenant_context(tenant):
        found = Tenant.objects.filter(active=True).first()
    if found is None:
        raise Http404
    digest = hashlib.sha256(tenant.bytes).hexdigest()[:16]
    return _manifest(found, f"/authenticator/?organisation={digest}")


def _manifest(tenant: Tenant | None, app_id: str) -> HttpResponse:
    name = _("Authenticator")
    own = tenant.brand_color if tenant is not None else ""
    color = own if _COLOR.fullmatch(own) else COLOR
    content = {
        "id": app_id,
        "name": f"{tenant.name} {name}" if tenant is not None else name,
        "short_name": tenant.name[:30] if tenant is not None else name,
        "start_url": "/authenticator/",
        "scope": "/authenticator/",
        "display": "standalone",
        "theme_color": color,
        "background_color": readable_on(color[1:].lower()),
        "icons": [
            _icon("authenticator-192.png", 192, "any"),
            _icon("authenticator-512.png", 512, "any"),
            _icon("authenticator-maskable-512.png", 512, "maskable"),
        ],
    }
    response = JsonResponse(content)
    response.headers["Content-Type"] = "application/manifest+json"
    return response


def _icon(name: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": static(f"icons/{name}"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, from the folder it is for, with the names of what it keeps."""
    files = [static(name) for name in FILES]
    pages = [reverse("authenticator:offline")]
    script = WORKER.read_text(encoding="utf-8")
    version = hashlib.sha256(repr((files, script)).encode()).hexdigest()[:12]
    kept = {"version": version, "files": [*pages, *files], "offline": pages[0]}
    text = f"self.kept = {json.dumps(kept)};\n{script}"
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")


@require_GET
@for_signed_in
def setting_up(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """Whether the page that sets a device up still waits: for the device, or for its approval."""
    now = timezone.now()
    with tenant_context(person.tenant.pk):
        pending = find_pending(person.user, now)
        waits_for_device = pending is not None and pending.record is None
        waits_for_approval = pending is not None and is_open(pending.request, now)
    stage = request.GET.get("stage", "")
    waiting = waits_for_device if stage == "scan" else waits_for_approval
    return JsonResponse({"waiting": waiting})
