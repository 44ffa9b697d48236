"""Testing one's own reset: the real journey, up to the new password."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.people import belongings_of
from accounts.registration.readiness import readiness_of
from accounts.signin.person import SignedIn, for_signed_in
from tenants.context import tenant_context
from tenants.fields import read_fields
from tenants.pages import site_of

from .. import services
from .context import origin_of
from .pages import error_page
from .steps import SEE_OTHER, to_flow


@require_POST
@for_signed_in
def rehearse(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """Begins a rehearsal for who could reset; everybody else is shown what is missing."""
    read_fields(request, ())
    now = timezone.now()
    with tenant_context(person.tenant.pk):
        able = readiness_of(belongings_of(person.user), now, site_of(request)).able
    if not able:
        response = HttpResponseRedirect(reverse("security-info:index"))
        response.status_code = SEE_OTHER
        return response
    started = services.rehearse(person.user, origin=origin_of(request), now=now)
    if started.blocked is not None:
        return error_page(request, "too_many", 429, until=started.blocked.until, now=now)
    if started.handle is None:
        raise LookupError("somebody known always begins a journey")
    return to_flow(started.handle)
