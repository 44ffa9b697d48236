"""The passkey's pages under addresses of their own, whatever is around them."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import include, path
from django.utils import timezone

from accounts.models import ContactPoint, User
from accounts.people import belongings_of
from accounts.registration.changes import MethodChange, note_change
from accounts.registration.methods.passkey import PasskeyRegistrable
from accounts.signin.person import SignedIn, for_signed_in
from accounts.signin.provable import context_for
from sspr_project import urls as product
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.pages import page_context, site_of

REGISTRABLE = PasskeyRegistrable()
LIST = """
{% extends "portal/base.html" %}
{% block title %}Passkeys{% endblock %}
{% block heading %}Passkeys{% endblock %}
{% block content %}
  {% for entry in entries %}
    <form method="post" action="/security-info/passkeys/{{ entry.id }}/">
      {% csrf_token %}
      <p data-entry>{{ entry.name }}, {{ entry.detail }}{% if entry.used_at %}, used{% endif %}</p>
      <button type="submit">Remove</button>
    </form>
  {% endfor %}
  {% include "security_info/_passkey_signal.html" %}
{% endblock %}
"""


def _shown(request: HttpRequest, text: str, context: dict[str, Any]) -> HttpResponse:
    template = engines["django"].from_string(text)
    return HttpResponse(template.render(context, request))


@for_signed_in
def entries(request: HttpRequest, person: SignedIn) -> HttpResponse:
    with tenant_context(person.tenant.pk):
        own = belongings_of(person.user)
        found = REGISTRABLE.entries(own, context_for(timezone.now(), site_of(request)))
    return _shown(request, LIST, page_context(request, person.tenant, entries=found))


@for_signed_in
def add(request: HttpRequest, person: SignedIn) -> HttpResponse:
    return REGISTRABLE.add(request, person, "/security-info/passkeys/")


@for_signed_in
def remove(request: HttpRequest, person: SignedIn, entry: str) -> HttpResponse:
    now = timezone.now()
    with tenant_context(person.tenant.pk):
        user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
        before = list(ContactPoint.objects.filter(user=user))
        name = REGISTRABLE.remove(belongings_of(user), entry, now)
        if name is None:
            raise Http404
        change = MethodChange("removed", "passkey", name, before, "192.0.2.1")
        note_change(user, change, by=Party("user", user.pk, user.user_id), now=now)
    return HttpResponseRedirect("/security-info/passkeys/")


urlpatterns = [
    path("security-info/passkeys/", entries),
    path("security-info/passkeys/add/", add),
    path("security-info/passkeys/<entry>/", remove),
    path("", include(product)),
]
handler400 = product.handler400
handler403 = product.handler403
handler404 = product.handler404
handler500 = product.handler500
