"""Changing a known password: `/change-password/`, for somebody who is signed in."""

from datetime import datetime

from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from accounts.signin.person import SignedIn, for_signed_in
from accounts.signin.services import check_password, session_hash
from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields
from tenants.limits import MAX_PASSWORD
from tenants.secret import Secret

from ..services.change import Changed, Passwords, change_password
from . import directory_change, words
from .change_pages import done_page, form_page, locked_text
from .context import clock, origin_of
from .pages import retry_after, texts


@require_GET
def well_known(request: HttpRequest) -> HttpResponse:
    """Where password managers look for the page (W3C, a well-known URL for changing passwords)."""
    return HttpResponseRedirect(reverse("password:change"))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@sensitive_variables()
@for_signed_in
def change(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """The old password and a new one."""
    now = timezone.now()
    if request.method != "POST":
        return form_page(request, person, now)
    fields = read_fields(request, ("old_password", "new_password", "next"))
    if any(len(fields[name]) > MAX_PASSWORD * 4 for name in ("old_password", "new_password")):
        raise BadForm("far longer than any password")
    errors = {
        name: text
        for name, text in (
            ("old_password", words.TYPE_OLD_PASSWORD),
            ("new_password", words.TYPE_PASSWORD),
        )
        if not fields[name]
    }
    if errors:
        return form_page(request, person, now, errors=errors)
    typed = Passwords(Secret(fields["old_password"]), Secret(fields["new_password"]))
    if person.user.source != User.Source.CLOUD:
        return directory_change.send(request, person, typed, now)
    changed = change_password(
        person,
        typed,
        judge=lambda old: check_password(
            request, person.tenant.pk, person.user.user_id, old, now=now
        ),
        session=session_hash(request),
        origin=origin_of(request),
        now=now,
    )
    if changed.kind == "ok":
        return _done(request, person, now)
    return _refused(request, person, changed, now)


def _refused(
    request: HttpRequest, person: SignedIn, changed: Changed, now: datetime
) -> HttpResponse:
    if changed.kind == "weak":
        reasons = texts(changed.violations)
        errors = {"new_password": reasons[0]}
        return form_page(request, person, now, errors=errors, password_errors=reasons)
    if changed.until is None:
        return form_page(request, person, now, errors={"old_password": words.WRONG_OLD_PASSWORD})
    errors = {"old_password": locked_text(changed.until)}
    response = form_page(request, person, now, errors=errors, status=429)
    return retry_after(response, changed.until, now)


def _done(request: HttpRequest, person: SignedIn, now: datetime) -> HttpResponse:
    # Whoever held the old key holds nothing any more.
    with tenant_context(person.tenant.pk):
        request.session.cycle_key()
        user = User.objects.get(pk=person.user.pk)
        request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    return done_page(request, person, clock(now))
