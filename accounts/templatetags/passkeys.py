"""What pages need to offer passkeys, so that any page can include the offer as it is."""

import json
from typing import Any

from django import template
from django.utils import timezone

from tenants.context import tenant_context
from tenants.pages import site_of

from ..passkeys import accepted_passkeys
from ..signin.passkey import offer
from ..signin.person import find_signed_in
from ..webauthn import find_site

register = template.Library()


@register.simple_tag(takes_context=True)
def passkey_offer(context: Any) -> dict[str, Any] | None:
    """A challenge to sign in with, or nothing where passkeys can't work."""
    return offer(context["request"], timezone.now())


@register.simple_tag(takes_context=True)
def passkey_signal(context: Any) -> str:
    """The signed-in person's passkeys that still work here, as JSON for the browser; else empty."""
    request = context["request"]
    person, site = find_signed_in(request), find_site(site_of(request))
    if person is None or site is None:
        return ""
    with tenant_context(person.tenant.pk):
        return json.dumps(accepted_passkeys(person.user, site))
