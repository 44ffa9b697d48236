"""What every page for people is given, in the look of the tenant when one is known."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language

from .address import client_address
from .models import Tenant

_NO_BRAND = {"color": "", "logo": "", "css_url": ""}
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def address_of(request: HttpRequest) -> str:
    """The network address a request came from, behind the trusted proxies."""
    return client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        settings.SSPR_TRUSTED_PROXIES,
    )


def site_of(request: HttpRequest) -> str:
    """The web origin a request was sent to: `https://contoso.example`, with a port where one is
    named. Passkeys are bound to it."""
    return f"{request.scheme}://{request.get_host().lower()}"


def clock(moment: datetime | None) -> str:
    """A clock time with its zone, and the day when it is not today: "14:20 UTC"."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    text = f"{local:%H:%M} {local.tzname()}"
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


def safe_next(request: HttpRequest, wanted: str, otherwise: str) -> str:
    """Where the person wanted to go, if that is an address of this host."""
    on_host = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if on_host and wanted.startswith("/") else otherwise


def page_context(request: HttpRequest, tenant: Tenant | None, **more: Any) -> dict[str, Any]:
    """The common part of every page, in the look of the tenant when one is known."""
    known = tenant is not None and not tenant.platform
    language = get_language()
    return {
        "state": "",
        "reference": "",
        "reason_code": "",
        "organisation": tenant.name if tenant is not None and known else "",
        "brand": _brand(tenant) if tenant is not None and known else _NO_BRAND,
        "helpdesk": _helpdesk(tenant) if tenant is not None and known else None,
        "help_url": plain_url("help"),
        "start_again_url": plain_url("start"),
        "language_choice": _language_choice(language),
        "language": language,
        "step": None,
        "cancel_url": "",
        "errors": {},
        "values": {},
        "form_action": request.path,
        "language_url": request.path,
        **more,
    }


@cache
def _language_choice(language: str | None) -> str:
    """The field in which another language is chosen: the same for everybody who reads this one."""
    known = {"languages": settings.LANGUAGES, "language": language}
    return render_to_string("portal/_languages.html", known)


def _brand(tenant: Tenant) -> Mapping[str, str]:
    color = tenant.brand_color if _COLOR.fullmatch(tenant.brand_color or "") else ""
    # The policy of the pages allows images from here and from data: addresses only.
    here = tenant.brand_logo.startswith(("/", "data:image/"))
    logo = tenant.brand_logo if here and tenant.brand_logo[1:2] not in {"/", "\\"} else ""
    css = _theme_url(color[1:].lower()) if color else ""
    return {"color": color, "logo": logo, "css_url": css}


@lru_cache(maxsize=1000)
def _theme_url(color: str) -> str:
    return reverse("portal:theme", args=[color])


def _helpdesk(tenant: Tenant) -> Mapping[str, str] | None:
    found = {
        "email": tenant.helpdesk_email,
        "url": tenant.helpdesk_url,
        "phone": tenant.helpdesk_phone,
    }
    return found if any(found.values()) else None
