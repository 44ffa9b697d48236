"""Pages of the operator site. A request is no transaction: each access and each change is one."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from ..address import client_address
from ..audit import Party
from ..context import tenant_context
from ..models import Domain, Host, Tenant
from . import access, changes, directory
from .access import Acting
from .directory import Listed
from .forms import FIELDS, NameForm, PlanForm, ReasonForm, TenantForm

if TYPE_CHECKING:
    from .site import OperatorSite

NAME_KINDS: dict[str, changes.NameKind] = {"domain": "domain", "host": "host"}
MAX_TYPED = 100

Opened = Callable[["OperatorSite", HttpRequest, Listed, str], HttpResponse]


def index(site: "OperatorSite", request: HttpRequest) -> HttpResponse:
    return redirect(f"{site.name}:tenants")


def tenant_list(site: "OperatorSite", request: HttpRequest) -> HttpResponse:
    typed, after, before = (
        request.GET.get(name, "")[:MAX_TYPED] for name in ("q", "after", "before")
    )
    if "\x00" in typed + after + before:
        raise Http404
    page = directory.page_of(typed, after=after, before=before)
    links = {}
    if page.rows and page.has_previous:
        links["previous"] = urlencode({"q": typed, "before": page.rows[0].slug})
    if page.rows and page.has_next:
        links["next"] = urlencode({"q": typed, "after": page.rows[-1].slug})
    shown = [(row, people_of(row)) for row in page.rows]
    return site.page(request, "tenants", "Organisations", rows=shown, typed=typed, links=links)


def people_of(row: Listed) -> str:
    return f"more than {directory.MANY:,}" if row.people > directory.MANY else f"{row.people:,}"


def tenant_add(site: "OperatorSite", request: HttpRequest) -> HttpResponse:
    form = TenantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        owner = directory.find_owner("slug", form.cleaned_data["slug"])
        if owner is not None:
            form.add_error("slug", "There is an organisation of this short name already.")
        elif _created(request, form):
            messages.success(request, f"{form.cleaned_data['name']} is made.")
            return redirect(f"{site.name}:tenants")
    return site.page(request, "tenant_add", "New organisation", form=form)


def _created(request: HttpRequest, form: TenantForm) -> bool:
    outcome = changes.create(acting(request), changes.NewTenant(**form.cleaned_data))
    for problem in outcome.problems:
        words = problem.message
        if problem.key == "tenant.domains[0].name":
            owner = directory.find_owner("domain", form.cleaned_data["domain"])
            words = f"It belongs to the organisation {owner[1]} already." if owner else words
        form.add_error(FIELDS.get(problem.key), words)
    return outcome.valid


def tenant_open(site: "OperatorSite", request: HttpRequest, tenant: UUID) -> HttpResponse:
    """Asks for the reason. Of the organisation it shows what the list shows."""
    row = _listed(tenant)
    form = ReasonForm(request.POST or None)
    wanted = request.POST.get("next", request.GET.get("next", ""))
    if request.method == "POST" and form.is_valid():
        access.open_tenant(acting(request), row, form.cleaned_data["reason"], request.session)
        return HttpResponseRedirect(_next_url(site, request, wanted, tenant))
    return site.page(request, "tenant_open", row.name, row=row, form=form, next=wanted)


def opened(view: Opened) -> Callable[..., HttpResponse]:
    """Pages that are shown once a reason is in the organisation's trail, and for 30 minutes."""

    @wraps(view)
    def inner(site: "OperatorSite", request: HttpRequest, tenant: UUID) -> HttpResponse:
        row = _listed(tenant)
        purpose = access.find_purpose(tenant, request.session, timezone.now())
        if purpose is None:
            ask = reverse(f"{site.name}:tenant_open", args=[tenant])
            return redirect(f"{ask}?{urlencode({'next': request.path})}")
        return view(site, request, row, purpose)

    return inner


@opened
def tenant_page(
    site: "OperatorSite", request: HttpRequest, row: Listed, purpose: str
) -> HttpResponse:
    with tenant_context(row.id):
        details = {
            "tenant": Tenant.objects.get(),
            "domains": list(Domain.objects.order_by("name")),
            "hosts": list(Host.objects.order_by("name")),
        }
    numbers = directory.numbers_of(row.id)
    facts: dict[str, Any] = {"row": row, "purpose": purpose, "numbers": numbers, **details}
    return site.page(request, "tenant", row.name, **facts)


@opened
def tenant_state(
    site: "OperatorSite", request: HttpRequest, row: Listed, purpose: str
) -> HttpResponse:
    """Suspends an organisation that works, reactivates one that doesn't."""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        changes.set_active(acting(request), row, reason, active=not row.active)
        state = "suspended" if row.active else "active again"
        messages.success(request, f"{row.name} is {state}.")
        return redirect(f"{site.name}:tenant", row.id)
    title = f"{'Suspend' if row.active else 'Reactivate'} {row.name}"
    return site.page(request, "tenant_state", title, row=row, form=form)


@opened
def tenant_plan(
    site: "OperatorSite", request: HttpRequest, row: Listed, purpose: str
) -> HttpResponse:
    now = {"plan": row.plan, "trial_started": row.trial_started}
    form = PlanForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        changes.set_plan(acting(request), row, **form.cleaned_data)
        messages.success(request, "The plan is changed.")
        return redirect(f"{site.name}:tenant", row.id)
    return site.page(request, "tenant_plan", f"Plan of {row.name}", row=row, form=form)


@opened
def tenant_names(
    site: "OperatorSite", request: HttpRequest, row: Listed, purpose: str
) -> HttpResponse:
    """Domains and host names: each with a button to take it away, and a form to add one."""
    forms = {kind: NameForm(auto_id=f"id_{kind}_%s") for kind in NAME_KINDS}
    refusal = ""
    if request.method == "POST":
        kind = NAME_KINDS.get(request.POST.get("kind", ""))
        if kind is None:
            raise Http404
        form = NameForm(request.POST, auto_id=f"id_{kind}_%s")
        try:
            if form.is_valid():
                _change_names(request, row, kind, form.cleaned_data["name"])
                return redirect(f"{site.name}:tenant_names", row.id)
            forms[kind] = form
        except changes.Refused as problem:
            if request.POST.get("action") == "remove":
                refusal = f"{form.cleaned_data['name']}: {problem}"
            else:
                form.add_error("name", str(problem))
                forms[kind] = form
    with tenant_context(row.id):
        names = [
            ("domain", "Domains of user IDs", list(Domain.objects.order_by("name"))),
            ("host", "Host names of the portal", list(Host.objects.order_by("name"))),
        ]
    tables = [(kind, title, rows, forms[kind]) for kind, title, rows in names]
    title = f"Names of {row.name}"
    return site.page(request, "tenant_names", title, row=row, tables=tables, refusal=refusal)


def _change_names(request: HttpRequest, row: Listed, kind: changes.NameKind, name: str) -> None:
    if request.POST.get("action") == "remove":
        changes.remove_name(acting(request), row, kind, name)
        messages.success(request, f"{name} is taken away.")
    else:
        changes.add_name(acting(request), row, kind, name)
        messages.success(request, f"{name} is added.")


def health(site: "OperatorSite", request: HttpRequest) -> HttpResponse:
    findings = site.examine()
    broken = sum(finding.state == "broken" for finding in findings)
    return site.page(request, "health", "Health", findings=findings, broken=broken)


def acting(request: HttpRequest) -> Acting:
    user: Any = request.user
    address = client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.SSPR_TRUSTED_PROXIES,
    )
    now: datetime = timezone.now()
    return Acting(Party("operator", user.pk, user.get_username()), address, now)


def _listed(tenant: UUID) -> Listed:
    row = directory.find_listed(tenant)
    if row is None:
        raise Http404
    return row


def _next_url(site: "OperatorSite", request: HttpRequest, wanted: str, tenant: UUID) -> str:
    """Where the operator wanted to go, if that is a page of this organisation."""
    own = reverse(f"{site.name}:tenant", args=[tenant])
    on_host = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if on_host and wanted.startswith(own) else own
