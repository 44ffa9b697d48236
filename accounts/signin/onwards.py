"""Going on to another site, or coming from one, without a chain of redirects.

Two things a chain breaks: a browser withholds a `SameSite=Strict` cookie from whatever another site
leads to, and our own policy (`form-action 'self'`) stops a form that ends elsewhere. A page of ours
that leads on by itself is a new beginning for both. What is no browser is redirected.
"""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants.models import Tenant
from tenants.pages import page_context

AGAIN = "again"
"""Parameter of an address that our own page led to."""
SEE_OTHER = 303


def is_browser(request: HttpRequest) -> bool:
    """Whether it says how it came here, as every browser does that keeps cookies from others."""
    return "Sec-Fetch-Mode" in request.headers


def comes_from_here(request: HttpRequest) -> bool:
    """Whether all of this site's cookies are here, if there are any."""
    return not is_browser(request) or request.GET.get(AGAIN) == "1"


def once_more(request: HttpRequest, tenant: Tenant | None = None) -> HttpResponse:
    """The same address once more, this time from a page of ours."""
    query = request.GET.copy()
    query[AGAIN] = "1"
    return _page(request, f"{request.path}?{query.urlencode()}", tenant)


def onwards(request: HttpRequest, url: str, tenant: Tenant | None = None) -> HttpResponse:
    """On to `url`, which may be anybody's; it was checked by the caller."""
    return _page(request, url, tenant) if is_browser(request) else see_other(url)


def see_other(url: str) -> HttpResponse:
    """A redirect that is fetched with GET. Allows the schemes of apps, which were registered."""
    return HttpResponse(status=SEE_OTHER, headers={"Location": url})


def with_next(address: str, wanted: str) -> str:
    return f"{address}?{urlencode({'next': wanted})}"


def _page(request: HttpRequest, url: str, tenant: Tenant | None) -> HttpResponse:
    context = page_context(request, tenant, state="onwards", continue_url=url)
    return render(request, "portal/onwards.html", context)
