"""What operators change about an organisation. Each change stands in its trail, in the same
transaction, and in the installation's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from ..config.engine import Outcome, apply_content
from ..config.tenant_section import is_domain, is_host
from ..config.writing import to_toml
from ..context import tenant_context
from ..front import forget_fronts
from ..lookup import find_tenant
from ..models import Domain, Host, Subscription, Tenant
from .access import Acting, note, tell_platform
from .directory import Listed, find_owner

NameKind = Literal["domain", "host"]
_TABLES: Mapping[str, Any] = {"domain": Domain, "host": Host}
BAD_DOMAIN = "Write a domain like contoso.example, in ASCII, at most 48 characters."
BAD_HOST = "Write a host name like reset.contoso.example, without a port."
SHARED = "This is the shared host; it works for every organisation."
STILL_USED = "People still have user IDs at this domain. Their administrators move them first."


class Refused(ValueError):
    """A change that can't be made; the text says why, for operators."""


@dataclass(frozen=True)
class NewTenant:
    """What is typed about a new organisation. Contacts are the first administrator's."""

    slug: str
    name: str
    plan: str
    trial_started: date | None
    domain: str
    admin: str
    email: str
    alternate_email: str = ""
    mobile_phone: str = ""


def create(acting: Acting, new: NewTenant) -> Outcome:
    """The organisation with its plan, a domain, and an administrator who has no password yet.

    Goes through policy as code, so the same rules hold; an Outcome with problems changed nothing.
    """
    with transaction.atomic():
        outcome = apply_content(
            _file_of(new),
            file="operator site",
            now=acting.now,
            actor=acting.party,
            only_new=True,
        )
        tenant = find_tenant(slug=new.slug) if outcome.applied else None
        told: dict[str, object] = {"plan": new.plan, "domain": new.domain}
        if tenant is not None:
            with tenant_context(tenant):
                note(acting, "tenant.created", new.slug, told)
    if tenant is not None:
        tell_platform(acting, "tenant.created", new.slug, told)
    return outcome


def _file_of(new: NewTenant) -> bytes:
    tenant: dict[str, Any] = {"slug": new.slug, "name": new.name, "plan": new.plan}
    if new.trial_started is not None:
        tenant["trial_started"] = new.trial_started
    tenant["domains"] = [{"name": new.domain}]
    contacts = {
        "email": new.email,
        "alternate_email": new.alternate_email,
        "mobile_phone": new.mobile_phone,
    }
    admin = {"id": new.admin, "roles": ["global_administrator"]}
    admin.update({key: value for key, value in contacts.items() if value})
    document = {"tenant": tenant, "policy": {"enabled": "all"}, "users": [admin]}
    return to_toml(document).encode()


def set_active(acting: Acting, tenant: Listed, purpose: str, *, active: bool) -> None:
    """Suspends or reactivates. Everything of a suspended organisation answers like nothing."""
    event_type = "tenant.reactivated" if active else "tenant.suspended"
    with _changing(acting, tenant, event_type) as data:
        Tenant.objects.filter(active=not active).update(active=active)
        data["purpose"] = purpose


def set_plan(acting: Acting, tenant: Listed, plan: str, trial_started: date | None) -> None:
    """What the organisation bought, and since when it tries it (nothing: no trial)."""
    with _changing(acting, tenant, "tenant.plan_changed") as data:
        row = Subscription.objects.select_for_update().first() or Subscription()
        data["plan_before"], data["trial_before"] = row.plan, _day(row.trial_started)
        row.plan, row.trial_started = plan, trial_started
        row.save()
        data["plan"], data["trial_started"] = plan, _day(trial_started)


def add_name(acting: Acting, tenant: Listed, kind: NameKind, typed: str) -> None:
    """Gives a domain or a host name, unique in the installation. Raises Refused."""
    name = typed.strip().lower().rstrip(".")
    _check_name(kind, name)
    owner = find_owner(kind, name)
    if owner is not None:
        whose = "this organisation" if owner[0] == tenant.id else f"the organisation {owner[1]}"
        raise Refused(f"It belongs to {whose} already.")
    try:
        with _changing(acting, tenant, "tenant.name_added") as data:
            _TABLES[kind].objects.create(name=name)
            data.update(kind=kind, name=name)
    except IntegrityError:
        raise Refused("Another organisation was given it a moment ago.") from None


def remove_name(acting: Acting, tenant: Listed, kind: NameKind, name: str) -> None:
    """Takes a domain or a host name away. Raises Refused; a name that is gone stays gone."""
    with _changing(acting, tenant, "tenant.name_removed") as data:
        found = _TABLES[kind].objects.filter(name=name)
        if not found.exists():
            raise Refused("It does not belong to this organisation any more.")
        people: Any = get_user_model().objects
        if kind == "domain" and people.filter(user_id__endswith=f"@{name}").exists():
            raise Refused(STILL_USED)
        found.delete()
        data.update(kind=kind, name=name)


def _check_name(kind: NameKind, name: str) -> None:
    if kind == "domain" and not is_domain(name):
        raise Refused(BAD_DOMAIN)
    if kind == "host" and not is_host(name):
        raise Refused(BAD_HOST)
    if kind == "host" and name in settings.SSPR_SHARED_HOSTS:
        raise Refused(SHARED)


@contextmanager
def _changing(acting: Acting, tenant: Listed, event_type: str) -> Iterator[dict[str, object]]:
    """The organisation's context for a change; what it puts into the dictionary is recorded."""
    data: dict[str, object] = {}
    with tenant_context(tenant.id):
        yield data
        note(acting, event_type, tenant.slug, data)
    forget_fronts()
    tell_platform(acting, event_type, tenant.slug, data)


def _day(value: date | None) -> str | None:
    return value.isoformat() if value is not None else None
