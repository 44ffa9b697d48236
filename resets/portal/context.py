"""What the pages of a journey are given beside what every page is."""

from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from tenants.pages import address_of, clock, host_tenant, page_context, plain_url, site_of

from ..services import Origin

__all__ = ["clock", "flow_url", "host_tenant", "origin_of", "page_context", "plain_url", "shown_at"]

_ANY_FLOW = UUID(int=0)


def origin_of(request: HttpRequest) -> Origin:
    language = get_language() or settings.LANGUAGE_CODE
    return Origin(address_of(request), language, site_of(request))


def shown_at(request: HttpRequest, address: str) -> dict[str, Any]:
    """For the page's script: where the page is shown again, and whether a form led here, so that
    it has to take that address."""
    return {"here": address, "posted": request.method == "POST"}


@cache
def _pattern(name: str) -> str:
    return reverse(f"portal:{name}", args=[_ANY_FLOW])


def flow_url(name: str, flow: UUID) -> str:
    """The address of a page or step of a journey."""
    return _pattern(name).replace(str(_ANY_FLOW), str(flow))
