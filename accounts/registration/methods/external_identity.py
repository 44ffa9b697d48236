"""`external_identity`: an account at another service, connected by signing in there."""

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from tenants.context import tenant_context
from tenants.fields import read_fields
from tenants.pages import page_context

from ...federation.away import send_away
from ...federation.identities import MOST
from ...federation.redirections import METHOD, Trip, bound_to_person
from ...methods.base import MethodContext
from ...models import Credential, IdentityProvider, Redirection
from ...people import Belongings
from ...signin.person import SignedIn
from ..registrable import Entry

LINK: str = Redirection.Purpose.LINK


class AccountRegistrable:
    """Connected by a sign-in there; the account is the proof, so nothing else is asked."""

    key = METHOD
    most = MOST
    changes = False
    removes = True
    in_wizard = False

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        return [
            Entry(
                id=row.pk.hex,
                name=row.name,
                registered_at=row.created_at,
                used_at=row.used_at,
                stale=not row.is_usable(context.now),
            )
            for row in own.credentials
            if row.method == METHOD
        ]

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        if request.method != "POST":
            return self._page(request, person)
        slug = read_fields(request, ("provider",))["provider"]
        key = request.session.session_key

        def trip(callback: str) -> Trip:
            bound_to = bound_to_person(person.user.pk, key)
            goes_on = reverse("federation:link", args=[slug])
            return Trip(LINK, bound_to, goes_on, callback, done_url)

        with tenant_context(person.tenant.pk):
            known = IdentityProvider.objects.filter(slug=slug).exists()
        if not known:
            return self._page(request, person, status=400)
        return send_away(request, person.tenant.pk, slug, trip, timezone.now())

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        """An account is not changed: another one is connected."""
        return HttpResponseRedirect(done_url)

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        for row in own.credentials:
            if row.method == METHOD and row.pk.hex == entry:
                gone = Credential.objects.filter(pk=row.pk).delete()[0]
                return row.name if gone else None
        return None

    def _page(self, request: HttpRequest, person: SignedIn, status: int = 200) -> HttpResponse:
        with tenant_context(person.tenant.pk):
            rows = IdentityProvider.objects.filter(is_enabled=True).order_by("name")
            providers = [row for row in rows if row.signs_in or row.proves]
        context = page_context(
            request, person.tenant, state="security_info", providers=providers, method=METHOD
        )
        return render(request, "security_info/external_identity.html", context, status=status)
