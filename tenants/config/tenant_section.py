"""The sections tenant, helpdesk and branding: the tenant's row, its names and its plan."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import IntegrityError, transaction

from ..licensing import PLANS
from ..lookup import find_tenant
from ..models import Domain, Host, Subscription, Tenant
from ..services import create_tenant
from .document import Document, Plan, Refused, shown
from .report import Path
from .sections import Section
from .shapes import Day, Flag, Key, Listing, Table, Text, Whole

DEFAULT_PLAN = "p1"
LONGEST_DOMAIN = 48
MOST_TRIES, LONGEST_LOCK = 50, 18_000
"""The widest smart lockout a tenant can choose: tries, and seconds of the first lock."""
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SLUG = re.compile(_LABEL)
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")

DOMAIN = Table(
    {
        "name": Key(Text(253), "the domain, in lower case", required=True),
        "verified": Key(Flag(), "whether the organisation proved that it owns it", default=True),
        "custom": Key(Flag(), "false for the domain that came with the tenant", default=True),
    }
)
TENANT = Table(
    {
        "slug": Key(Text(63), "the short name: small letters, digits, dashes", required=True),
        "name": Key(Text(100, shortest=1), "the name people read", required=True),
        "plan": Key(Text(choices=PLANS), "what was bought", default=DEFAULT_PLAN),
        "trial_started": Key(Day(), "present on a trial subscription", default=None),
        "hosts": Key(Listing(Text(253)), "own host names of the portal", default=()),
        "domains": Key(Listing(DOMAIN), "the domains of user IDs", default=()),
        "languages": Key(Listing(Text(12)), "language tags; none means all", default=()),
        "disclosure": Key(
            Text(choices=tuple(Tenant.Disclosure.values)),
            "whether unknown people can be told from known ones",
            default="guided",
        ),
        "reveal_reason": Key(Flag(), "show the reason code on the refusal page", default=False),
        "guest_sign_up": Key(
            Flag(), "people from outside may make themselves a guest account", default=False
        ),
        "profile": Key(
            Text(choices=tuple(Tenant.Profile.values)),
            "which smart lockout threshold holds",
            default="public",
        ),
        "lockout_threshold": Key(
            Whole(0, MOST_TRIES), "wrong passwords before a lock; 0 is the profile's", default=0
        ),
        "lockout_seconds": Key(
            Whole(0, LONGEST_LOCK), "how long the first lock lasts; 0 is a minute", default=0
        ),
    }
)
HELPDESK = Table(
    {
        "email": Key(Text(254), "where people write to"),
        "url": Key(Text(200), "a page of the help desk, http or https"),
        "phone": Key(Text(40), "a number to call, as people read it"),
    }
)
BRANDING = Table(
    {
        "color": Key(Text(7), "a colour like #0b5cad"),
        "logo": Key(Text(200), "path or address of the logo"),
    }
)
COLUMNS = {
    "tenant": {
        name: name
        for name in (
            "name",
            "languages",
            "disclosure",
            "reveal_reason",
            "guest_sign_up",
            "profile",
            "lockout_threshold",
            "lockout_seconds",
        )
    },
    "helpdesk": {
        "email": "helpdesk_email",
        "url": "helpdesk_url",
        "phone": "helpdesk_phone",
    },
    "branding": {"color": "brand_color", "logo": "brand_logo"},
}
TABLES = {"tenant": TENANT, "helpdesk": HELPDESK, "branding": BRANDING}


def is_slug(text: str) -> bool:
    """Whether a customer can have this slug; the installation's own row has another form."""
    return _SLUG.fullmatch(text) is not None


def is_domain(text: str) -> bool:
    """Whether user IDs can have this domain: small letters, at least one dot."""
    return _DOMAIN.fullmatch(text) is not None and len(text) <= LONGEST_DOMAIN


def is_host(text: str) -> bool:
    """Whether a portal can have this host name: small letters, no port."""
    return _HOST.fullmatch(text) is not None and len(text) <= 253


def is_language(tag: str) -> bool:
    """Whether the product speaks this language; a region behind it does not matter."""
    return tag.lower().partition("-")[0] in dict(settings.LANGUAGES)


def language_fix() -> str:
    return f"Use a language the product speaks: {', '.join(dict(settings.LANGUAGES))}."


def look_problems(values: Mapping[tuple[str, str], Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """(section, key) and what to write instead, for the help desk and the branding."""
    helpdesk_email, helpdesk_url = ("helpdesk", "email"), ("helpdesk", "url")
    color = values.get(("branding", "color"))
    if not _valid(validate_email, values.get(helpdesk_email, "")):
        yield helpdesk_email, "Write an address like help@contoso.example."
    if not _valid(URLValidator(schemes=["http", "https"]), values.get(helpdesk_url, "")):
        yield helpdesk_url, "Write an address that begins with https://."
    if color and _COLOR.fullmatch(color) is None:
        yield ("branding", "color"), "Write # and six digits, like #0b5cad."


class TenantWork:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.report = document.report

    def validate(self) -> None:
        tenant = self.document.data.get("tenant", {})
        if not is_slug(tenant.get("slug", "a")):
            fix = "Use small letters, digits and dashes, at most 63, no dash at the ends."
            self.report.add(("tenant", "slug"), fix)
        for index, tag in enumerate(tenant.get("languages", ())):
            if tag is not None and not is_language(tag):
                self.report.add(("tenant", "languages", index), language_fix())
        self._check_domains(tenant.get("domains", ()))
        self._check_hosts(tenant.get("hosts", ()))
        self._check_looks()

    def _check_domains(self, rows: Any) -> None:
        seen: set[str] = set()
        for index, row in enumerate(rows):
            path: Path = ("tenant", "domains", index, "name")
            name = (row or {}).get("name", "").lower()
            if not name:
                continue
            if not is_domain(name):
                fix = "Write a domain like contoso.example, in ASCII, at most 48 characters."
                self.report.add(path, fix)
            elif name in seen:
                self.report.add(path, "Name each domain once.")
            elif self._is_foreign(find_tenant(domain=name)):
                self.report.add(path, DOMAIN_TAKEN)
            seen.add(name)

    def _check_hosts(self, names: Any) -> None:
        seen: set[str] = set()
        for index, given in enumerate(names):
            path: Path = ("tenant", "hosts", index)
            name = (given or "").lower()
            if given is None:
                continue
            if not is_host(name):
                self.report.add(path, "Write a host name like reset.contoso.example, no port.")
            elif name in settings.SSPR_SHARED_HOSTS:
                self.report.add(path, "This is the shared host; it works for every tenant.")
            elif name in seen:
                self.report.add(path, "Name each host once.")
            elif self._is_foreign(find_tenant(host=name)):
                self.report.add(path, HOST_TAKEN)
            seen.add(name)

    def _is_foreign(self, owner: Any) -> bool:
        if "slug" not in self.document.data.get("tenant", {}):
            return False
        return owner is not None and owner != self.document.tenant_id

    def _check_looks(self) -> None:
        values = {
            (section, key): value
            for section in ("helpdesk", "branding")
            for key, value in self.document.data.get(section, {}).items()
        }
        for path, fix in look_problems(values):
            self.report.add(path, fix)

    def plan(self, plan: Plan) -> None:
        columns = self._columns()
        if self.document.is_new:
            plan.create("tenant", self.document.slug)
            plan.on_write(lambda: self._create(columns))
        else:
            self._plan_row(plan, columns)
        self._plan_domains(plan)
        self._plan_hosts(plan)
        self._plan_subscription(plan)

    def _columns(self) -> dict[tuple[str, str], Any]:
        """(section, key) → value, for the sections that stand in the file."""
        return {
            (section, key): self.document.filled(section, TABLES[section])[key]
            for section, keys in COLUMNS.items()
            if self.document.stands(section)
            for key in keys
        }

    def _create(self, columns: dict[tuple[str, str], Any]) -> None:
        fields = {COLUMNS[section][key]: value for (section, key), value in columns.items()}
        fields["languages"] = list(fields["languages"])
        create_tenant(self.document.slug, id=self.document.tenant_id, **fields)

    def _plan_row(self, plan: Plan, columns: dict[tuple[str, str], Any]) -> None:
        tenant = Tenant.objects.get()
        changed = []
        for (section, key), value in columns.items():
            column = COLUMNS[section][key]
            wanted = list(value) if isinstance(value, tuple) else value
            if getattr(tenant, column) != wanted:
                plan.update(section, "", key, shown(getattr(tenant, column), wanted))
                setattr(tenant, column, wanted)
                changed.append(column)
        if changed:
            plan.on_write(lambda: tenant.save(update_fields=changed))

    def _plan_domains(self, plan: Plan) -> None:
        tenant = self.document.data["tenant"]
        wanted = {row["name"].lower(): DOMAIN.filled(row) for row in tenant.get("domains", ())}
        present = {row.name: row for row in Domain.objects.all()}
        for index, (name, row) in enumerate(wanted.items()):
            flags = {"verified": row["verified"], "custom": row["custom"]}
            if name not in present:
                plan.create("domain", name)
                new = Domain(name=name, **flags)
                path: Path = ("tenant", "domains", index, "name")
                plan.on_write(_insertion(new, path, DOMAIN_TAKEN))
            else:
                _plan_flags(plan, present[name], flags)
        for name in sorted(present.keys() - wanted.keys()):
            plan.remove("domain", name)
            plan.on_write(present[name].delete)

    def _plan_hosts(self, plan: Plan) -> None:
        wanted = [name.lower() for name in self.document.data["tenant"].get("hosts", ())]
        present = {row.name: row for row in Host.objects.all()}
        for index, name in enumerate(wanted):
            if name not in present:
                plan.create("host", name)
                path: Path = ("tenant", "hosts", index)
                plan.on_write(_insertion(Host(name=name), path, HOST_TAKEN))
        for name in sorted(present.keys() - set(wanted)):
            plan.remove("host", name)
            plan.on_write(present[name].delete)

    def _plan_subscription(self, plan: Plan) -> None:
        values = self.document.filled("tenant", TENANT)
        row = Subscription.objects.first()
        subscription = row or Subscription()
        for name in ("plan", "trial_started"):
            before = getattr(subscription, name)
            if before != values[name]:
                if not self.document.is_new:
                    plan.update("tenant", "", name, shown(before, values[name]))
                setattr(subscription, name, values[name])
        plan.on_write(subscription.save)


DOMAIN_TAKEN = (
    "This domain belongs to another tenant of this installation. "
    "Take it out here, or have that tenant give it up first."
)
HOST_TAKEN = (
    "This host name belongs to another tenant of this installation. "
    "Take it out here, or have that tenant give it up first."
)


def _plan_flags(plan: Plan, domain: Domain, flags: dict[str, bool]) -> None:
    changed = [name for name, value in flags.items() if getattr(domain, name) != value]
    for name in changed:
        plan.update("domain", domain.name, name, shown(getattr(domain, name), flags[name]))
        setattr(domain, name, flags[name])
    if changed:
        plan.on_write(lambda: domain.save(update_fields=changed))


def _insertion(row: Domain | Host, path: Path, message: str) -> Any:
    def insert() -> None:
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            # A tenant that is switched off keeps its names, and look-ups don't see it.
            raise Refused(path, message) from None

    return insert


def _valid(check: Any, value: str) -> bool:
    if not value:
        return True
    try:
        check(value)
    except ValidationError:
        return False
    return True


def export(out: dict[str, Any]) -> None:
    tenant = Tenant.objects.get()
    subscription = Subscription.objects.first() or Subscription()
    domains = sorted(Domain.objects.all(), key=lambda row: row.name)
    own: dict[str, Any] = {"slug": tenant.slug, "name": tenant.name, "plan": subscription.plan}
    if subscription.trial_started:
        own["trial_started"] = subscription.trial_started
    own["hosts"] = sorted(row.name for row in Host.objects.all())
    own["domains"] = [
        {"name": row.name, "verified": row.verified, "custom": row.custom} for row in domains
    ]
    for key in COLUMNS["tenant"]:
        own[key] = getattr(tenant, key)
    out["tenant"] = own
    for section in ("helpdesk", "branding"):
        values = {key: getattr(tenant, column) for key, column in COLUMNS[section].items()}
        if any(values.values()):
            out[section] = values


SECTION = Section(
    name="tenant",
    keys={
        "tenant": Key(TENANT, "who the customer is", required=True),
        "helpdesk": Key(HELPDESK, "whom people ask who can't help themselves"),
        "branding": Key(BRANDING, "how the portal looks"),
    },
    open=TenantWork,
    export=export,
)
