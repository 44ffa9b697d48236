"""Pages of the sign-in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants.pages import page_context

from .person import SignedIn


def step_up_page(request: HttpRequest, person: SignedIn, address: str) -> HttpResponse:
    """For a change that came without a fresh proof: nothing was changed, and where to prove."""
    context = page_context(request, person.tenant, state="step_up_required", prove_url=address)
    return render(request, "portal/step_up.html", context, status=403)
