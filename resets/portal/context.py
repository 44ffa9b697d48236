"""What every page of the portal is given."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import get_language

from tenants.address import client_address
from tenants.models import Tenant

from ..services import Origin

_ANY_FLOW = UUID(int=0)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def origin_of(request: HttpRequest) -> Origin:
    address = client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        settings.SSPR_TRUSTED_PROXIES,
    )
    return Origin(address, get_language() or settings.LANGUAGE_CODE)


def clock(moment: datetime | None) -> str:
    """A clock time with its zone, and the day when it is not today: "14:20 UTC"."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    text = f"{time_format(local, 'H:i')} {local.tzname()}"
    if local.date() == timezone.localtime(timezone.now()).date():
        return text
    return f"{date_format(local, 'DATE_FORMAT')}, {text}"


def host_tenant(request: Any) -> Tenant | None:
    """The tenant whose own host was asked; nothing on a shared host."""
    found: Tenant | None = getattr(request, "front", None)
    return found


@cache
def plain_url(name: str) -> str:
    """The address of a page that is not one journey's."""
    return reverse(f"portal:{name}")


@cache
def _pattern(name: str) -> str:
    return reverse(f"portal:{name}", args=[_ANY_FLOW])


def flow_url(name: str, flow: UUID) -> str:
    """The address of a page or step of a journey."""
    return _pattern(name).replace(str(_ANY_FLOW), str(flow))


def page_context(request: HttpRequest, tenant: Tenant | None, **more: Any) -> dict[str, Any]:
    """The common part of every page, in the look of the tenant when one is known."""
    known = tenant is not None and not tenant.platform
    language = get_language()
    return {
        "state": "",
        "reference": "",
        "reason_code": "",
        "organisation": tenant.name if tenant is not None and known else "",
        "brand": _brand(tenant) if tenant is not None and known else {},
        "helpdesk": _helpdesk(tenant) if tenant is not None and known else None,
        "help_url": plain_url("help"),
        "start_again_url": plain_url("start"),
        "languages": [(code, name, code == language) for code, name in settings.LANGUAGES],
        "language": language,
        "step": None,
        "cancel_url": "",
        "errors": {},
        "values": {},
        "form_action": request.path,
        "language_url": request.path,
        **more,
    }


def _brand(tenant: Tenant) -> Mapping[str, str]:
    color = tenant.brand_color if _COLOR.fullmatch(tenant.brand_color or "") else ""
    # The policy of the pages allows images from here and from data: addresses only.
    here = tenant.brand_logo.startswith(("/", "data:image/"))
    logo = tenant.brand_logo if here and tenant.brand_logo[1:2] not in {"/", "\\"} else ""
    css = reverse("portal:theme", args=[color[1:].lower()]) if color else ""
    return {"color": color, "logo": logo, "css_url": css}


def _helpdesk(tenant: Tenant) -> Mapping[str, str] | None:
    found = {
        "email": tenant.helpdesk_email,
        "url": tenant.helpdesk_url,
        "phone": tenant.helpdesk_phone,
    }
    return found if any(found.values()) else None
