"""How people from outside come in, and who they are then (Entra, B2B; R-26).

An address is proved by opening a link in its mailbox. Whose domain belongs to an organisation of
this installation has a home there: such a guest gets no password here, the home decides. For known
and unknown addresses every page is the same, and so is its cost.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password

from notifications.services import Recipient, notify, notify_nobody
from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.invalid import Invalid
from tenants.limits import LIMITS
from tenants.lookup import find_tenant
from tenants.masking import masked_email
from tenants.models import Domain, Tenant
from tenants.policy import Problem
from tenants.rules import rules_of
from tenants.secret import Secret
from tenants.tokens import new_token, parse_token

from .config_rows import anchor_of
from .contact_checks import contact_problem
from .identifiers import MAX_LOCAL, canonical, mailbox_domain
from .models import ContactPoint, Invitation, User
from .password_checks import terms_for, violations
from .passwords.rules import Violation, normalise_for_hashing
from .people import guest_lookup

PURPOSE = "invitation"
INVITATION_LIFETIME = timedelta(days=7)
SIGN_UP_LIFETIME = timedelta(hours=1)
EMAIL = ContactPoint.Kind.ALTERNATE_EMAIL.value
NOT_AN_ADDRESS = "Write an address like name@example.org."
OWN_DOMAIN = "This address belongs to the organisation itself: add a person instead of a guest."
NO_DOMAIN = "The organisation has no domain that user IDs could have."
A_GUEST_ALREADY = "This address is a guest already."
_TAG = "#ext#"


@dataclass(frozen=True)
class Invited:
    """An invitation as its page shows it; `home`: another organisation here owns the address."""

    tenant: Tenant
    origin: str
    hint: str
    display_name: str
    home: str


@dataclass(frozen=True)
class Accepted:
    """What came of accepting. kind: ok, weak (the password breaks rules), over (the link is)."""

    kind: str
    user_id: str = ""
    violations: tuple[Violation, ...] = ()


def home_of(address: str) -> str:
    """The slug of the organisation here that owns the address's domain; "" for none.

    Not inside a tenant's context: it looks into another one's.
    """
    found = find_tenant(domain=mailbox_domain(address))
    if found is None:
        return ""
    with tenant_context(found):
        return str(Tenant.objects.get().slug)


def invite(
    email: str, display_name: str, *, personal: bool, by: Party, actor: User | None, now: datetime
) -> Invitation:
    """Sends somebody a link that is good for a week. Raises Invalid."""
    address = email.strip()
    problem = _address_problem(address)
    if problem:
        raise Invalid([Problem("email", "address", problem)])
    origin = Invitation.Origin.PERSONAL if personal else Invitation.Origin.INVITATION
    row = _new(address, origin.value, now, INVITATION_LIFETIME)
    row.display_name, row.invited_by = display_name.strip(), actor
    link = _saved_link(row)
    notify(
        "guest_invited",
        "email",
        Recipient(address, _first_language(), row.display_name),
        {"accept_url": link, "until": row.expires_at.isoformat()},
        now=now,
        lifetime=INVITATION_LIFETIME,
    )
    audit.record("guest.invited", actor=by, data={"origin": row.origin}, now=now)
    return row


def _address_problem(address: str) -> str:
    if contact_problem(EMAIL, address) is not None or "@" not in address:
        return NOT_AN_ADDRESS
    if not _domains():
        return NO_DOMAIN
    if Domain.objects.filter(name=mailbox_domain(address)).exists():
        return OWN_DOMAIN
    if User.objects.filter(guest_lookup=guest_lookup(address)).exists():
        return A_GUEST_ALREADY
    return ""


@dataclass(frozen=True)
class SignUp:
    """What somebody typed who wants an account, and where they come from."""

    email: str
    address: str
    language: str


def sign_up(tenant: UUID, asked: SignUp, *, now: datetime) -> datetime | None:
    """Sends a link, or says by mail that there is an account already, or nothing; the answer here
    is the same. When to try again, if this network address asks too often."""
    typed = asked.email.strip()
    with tenant_context(tenant):
        counts = [
            Count(LIMITS["sign_ups_by_address"], asked.address or "none"),
            Count(LIMITS["mails_to_mailbox"], typed.casefold()),
        ]
        over = {block.limit.name: block for block in count_up(counts, now).over}
    if "sign_ups_by_address" in over:
        return over["sign_ups_by_address"].until
    with tenant_context(tenant):
        _answer_by_mail(typed, asked.language, now, allowed="mails_to_mailbox" not in over)
    return None


def _answer_by_mail(typed: str, language: str, now: datetime, *, allowed: bool) -> None:
    known = Tenant.objects.get()
    problem = _address_problem(typed)
    row = _new(typed[:320], Invitation.Origin.SELF_SERVICE_SIGN_UP.value, now, SIGN_UP_LIFETIME)
    row.language = language
    if problem or not known.guest_sign_up or not allowed:
        row.used_at = now
    link = _saved_link(row)
    to = Recipient(typed, language)
    if problem == A_GUEST_ALREADY and allowed:
        base = settings.SSPR_BASE_URL
        facts = {"sign_in_url": f"{base}/sign-in/", "reset_url": f"{base}/reset/"}
        notify("guest_known", "email", to, facts, now=now, lifetime=SIGN_UP_LIFETIME)
    elif row.used_at is None:
        facts = {"accept_url": link, "until": row.expires_at.isoformat()}
        notify("guest_sign_up", "email", to, facts, now=now, lifetime=SIGN_UP_LIFETIME)
        audit.record("guest.sign_up_asked", actor=Party("anonymous", None, ""), data={}, now=now)
    else:
        notify_nobody("guest_sign_up", now=now, lifetime=SIGN_UP_LIFETIME)


def _new(address: str, origin: str, now: datetime, lifetime: timedelta) -> Invitation:
    row = Invitation(origin=origin, created_at=now, expires_at=now + lifetime)
    row.write(address)
    return row


def _saved_link(row: Invitation) -> str:
    token = new_token(row.tenant_id, PURPOSE)
    row.token_hash = token.hash
    row.save(force_insert=True)
    return f"{settings.SSPR_BASE_URL}/invitation/{token.text}/"


def _first_language() -> str:
    return str(next(iter(Tenant.objects.get().languages), settings.LANGUAGE_CODE))


def find_invited(token: str, *, now: datetime) -> Invited | None:
    """What the link leads to; nothing when it is over. Changes nothing."""
    parsed = parse_token(token, PURPOSE)
    if parsed is None:
        return None
    with tenant_context(parsed[0]):
        row = _open_row(parsed[1], now, lock=False)
        if row is None:
            return None
        tenant, address = Tenant.objects.get(), row.read().reveal()
        if not tenant.active:
            return None
    return Invited(tenant, row.origin, masked_email(address), row.display_name, home_of(address))


def _open_row(token_hash: bytes, now: datetime, *, lock: bool) -> Invitation | None:
    rows = Invitation.objects.filter(token_hash=token_hash, used_at=None, expires_at__gt=now)
    found: Invitation | None = (rows.select_for_update() if lock else rows).first()
    return found


def accept(
    token: str, display_name: str, password: Secret[str], *, address: str, now: datetime
) -> Accepted:
    """Makes the guest. One with a home organisation here, or a personal account elsewhere, gets no
    password: theirs is kept where they come from."""
    parsed, invited = parse_token(token, PURPOSE), find_invited(token, now=now)
    if parsed is None or invited is None:
        return Accepted("over")
    with tenant_context(parsed[0]):
        row = _open_row(parsed[1], now, lock=True)
        if row is None or _address_problem(row.read().reveal()):
            return Accepted("over")
        user = _new_guest(row, invited.home, display_name)
        if user.origin in _WITH_PASSWORD:
            broken = _set_password(user, password, now)
            if broken:
                return Accepted("weak", violations=broken)
        row.used_at = now
        row.save(update_fields=["used_at"])
        _save(user, row.read().reveal(), now)
        party = Party("user", user.pk, user.user_id)
        data = {"origin": user.origin}
        audit.record("guest.joined", actor=party, target=party, data=data, address=address, now=now)
        return Accepted("ok", user.user_id)


_WITH_PASSWORD = frozenset({User.Origin.INVITATION, User.Origin.SELF_SERVICE_SIGN_UP})


def _new_guest(row: Invitation, home: str, display_name: str) -> User:
    address = row.read().reveal()
    return User(
        user_id=_user_id_for(address),
        display_name=display_name.strip() or row.display_name or address.partition("@")[0],
        kind=User.Kind.GUEST,
        origin=User.Origin.PARTNER if home else row.origin,
        home=home,
        guest_lookup=guest_lookup(address),
        language=row.language,
    )


def _user_id_for(address: str) -> str:
    """`bob_fabrikam.example#EXT#@contoso.example`; where it is taken a number makes it another."""
    domain = _domains()[0]
    allowed = "".join(
        char if char.isascii() and (char.isalnum() or char in "'._!^~-") else "_"
        for char in address.replace("@", "_")
    )
    for number in range(100):
        tail = f"{number or ''}{_TAG}"
        found = canonical(f"{allowed[: MAX_LOCAL - len(tail)]}{tail}@{domain}")
        if not User.objects.filter(user_id=found).exists():
            return found
    raise Invalid([Problem("email", "taken", A_GUEST_ALREADY)])


def _domains() -> list[str]:
    """Domains of user IDs, the one that came with the tenant first."""
    rows = Domain.objects.filter(verified=True).order_by("custom", "name")
    return list(rows.values_list("name", flat=True))


def _set_password(user: User, password: Secret[str], now: datetime) -> tuple[Violation, ...]:
    rules = rules_of(None)
    terms = terms_for(user, rules.tenant, rules.policy, rules.subscription, "reset")
    broken = tuple(violations(password, terms))
    if not broken:
        user.password = make_password(normalise_for_hashing(password.reveal(), terms.rules))
        user.password_changed_at = now
    return broken


def _save(user: User, address: str, now: datetime) -> None:
    if not user.password:
        user.set_unusable_password()
    user.save(force_insert=True)
    contact = ContactPoint(user=user, kind=EMAIL, confirmed_at=now)
    contact.write(address, anchor_of(EMAIL, address))
    contact.save(force_insert=True)
