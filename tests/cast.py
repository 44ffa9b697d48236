"""The fixed cast of the tests: two tenants, `acme` and `beta`, and the people in them.

Ask for the fixtures, they stand in every test folder; they commit exactly when the test commits:

    def test_alice_resets(acme: Acme, client: Client) -> None:
        with acme.inside():                       # tenant_context of acme
            acme.alice.refresh_from_db()
        client.post("/reset/", {"user_id": acme.alice.user_id}, headers={"host": acme.host})

Everybody in acme is one case of the rules:

    alice  email, app, mobile, office, five questions, password     bob    email, app, password
    carol  global administrator with email and app, password        dave   bob, but disabled
    eve    nothing registered, password                             oscar  bob, but not licensed
    gina   guest whose home is beta       iris   invited guest      petra  guest, personal account

In beta another alice (all of it) and bob (email, app); every free text of beta holds CANARY, so
an answer that shows it to acme has leaked. An app's seed is `seed_of(user)`, its code at a time
`app_code(user, now)`, answers are in QUESTIONS, everybody's password is PASSWORD.

More people: `make_person(name, domain, …)` and `give_…(user, …)`, inside a tenant's context.
Hashes are made once a run, because each takes as long as everything else here together.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db.models import Model
from django_otp.oath import TOTP

from accounts.answers import normalise_answer
from accounts.config_rows import DEVICE_NAME, anchor_of
from accounts.identifiers import canonical
from accounts.models import AuthenticatorDevice, ContactPoint, GroupMember, QuestionAnswer, User
from accounts.people import guest_lookup
from tenants.context import tenant_context
from tenants.models import Domain, Group, GroupNesting, Host, ResetPolicy, Subscription, Tenant
from tenants.services import create_tenant

CANARY = "BETA-CANARY"
PASSWORD = "Tall-Ships 4 Everybody"
NEW_PASSWORD = "Quiet-Harbour 7 Lanterns"
QUESTIONS: Mapping[str, str] = {
    "first_pet": "Snowball the Third",
    "birth_hospital": "Saint Brigid",
    "first_street": "Larch Lane",
    "childhood_hero": "Amelia Earhart",
    "favourite_food": "Plum dumplings",
}
ALICE_EMAIL = "alice@example.net"
ALICE_MOBILE = "+1 4255550101"
ALICE_OFFICE = "+1 4255550100x123"
METHODS = ("email", "app_code", "mobile_phone", "office_phone", "security_questions")
_CONFIRMED = datetime(2026, 11, 1, tzinfo=UTC)
_waiting: ContextVar[list[Model] | None] = ContextVar("waiting", default=None)


@dataclass(frozen=True)
class Organisation:
    """One tenant with what belongs to it. `host` is its own portal's."""

    tenant: Tenant
    domain: str
    host: str
    subscription: Subscription
    policy: ResetPolicy

    @property
    def id(self) -> UUID:
        return self.tenant.id

    def inside(self) -> AbstractContextManager[None]:
        """The tenant in force, for rows of this organisation."""
        return tenant_context(self.tenant.id)


@dataclass(frozen=True)
class Acme(Organisation):
    alice: User
    bob: User
    carol: User
    dave: User
    eve: User
    oscar: User
    gina: User
    iris: User
    petra: User


@dataclass(frozen=True)
class Beta(Organisation):
    alice: User
    bob: User


def make_acme() -> Acme:
    tenant = create_tenant(
        "acme",
        "Acme",
        languages=["en", "de"],
        helpdesk_email="help@acme.example",
        helpdesk_url="https://help.acme.example/",
        helpdesk_phone="+1 4255550199",
        brand_color="#0b5cad",
    )
    with tenant_context(tenant.id):
        base = _furnish(tenant, "acme.example", "acme.sspr.test")
        subscription = base["subscription"]
        with _written_together():
            return Acme(
                **base,
                alice=_make_alice("acme.example", "Alice", "Adams", subscription, ALICE_EMAIL),
                bob=_make_two_factor("bob", "Bob", "Brown", subscription),
                carol=_make_two_factor(
                    "carol", "Carol", "Clark", subscription, roles=["global_administrator"]
                ),
                dave=_make_two_factor("dave", "Dave", "Dunn", subscription, is_active=False),
                eve=make_person("eve", "acme.example", licence=subscription, surname="Evans"),
                oscar=_make_two_factor("oscar", "Oscar", "Olsen", None),
                gina=make_guest("gina@beta.example", "acme.example", "partner", home="beta"),
                iris=make_guest("iris@example.org", "acme.example", "invitation"),
                petra=make_guest("petra@mail.example", "acme.example", "personal"),
            )


def make_beta() -> Beta:
    tenant = create_tenant(
        "beta",
        f"{CANARY} Beta",
        helpdesk_email=f"{CANARY}@beta.example",
        helpdesk_url=f"https://beta.example/{CANARY}",
        helpdesk_phone=CANARY,
        brand_logo=f"{CANARY}.svg",
    )
    with tenant_context(tenant.id):
        base = _furnish(
            tenant,
            "beta.example",
            "beta.sspr.test",
            custom_questions=[f"{CANARY} question?"],
            banned_terms=[CANARY.lower()],
        )
        make_group(f"{CANARY} group")
        licence, name = base["subscription"], CANARY
        with _written_together():
            alice = _make_alice("beta.example", name, name, licence, f"{name}.alice@example.net")
            bob = make_person("bob", "beta.example", licence=licence, given_name=name, surname=name)
            give_email(bob, f"{name}.bob@example.net")
            give_app(bob)
            return Beta(**base, alice=alice, bob=bob)


@contextmanager
def _written_together() -> Iterator[None]:
    """People and what they registered in here are written when it ends, a statement a table."""
    rows: list[Any] = []
    token = _waiting.set(rows)
    try:
        yield
    finally:
        _waiting.reset(token)
    for model in dict.fromkeys(type(row) for row in rows):
        model.objects.bulk_create(row for row in rows if type(row) is model)


def _keep(row: Model) -> None:
    """Writes it, at once or together with the others."""
    waiting = _waiting.get()
    if waiting is None:
        row.save(force_insert=True)
    else:
        waiting.append(row)


def _furnish(tenant: Tenant, domain: str, host: str, **policy: Any) -> dict[str, Any]:
    Domain.objects.create(name=domain, verified=True, custom=True)
    Host.objects.create(name=host)
    return {
        "tenant": tenant,
        "domain": domain,
        "host": host,
        "subscription": Subscription.objects.create(plan="p1"),
        "policy": ResetPolicy.objects.create(
            methods=list(METHODS), methods_required=2, check_breached=False, **policy
        ),
    }


def _make_alice(
    domain: str, given_name: str, surname: str, licence: Subscription, email: str
) -> User:
    alice = make_person("alice", domain, licence=licence, given_name=given_name, surname=surname)
    give_email(alice, email)
    give_app(alice)
    give_mobile(alice)
    give_office(alice)
    give_questions(alice)
    return alice


def _make_two_factor(
    name: str, given_name: str, surname: str, licence: Subscription | None, **fields: Any
) -> User:
    user = make_person(
        name, "acme.example", licence=licence, given_name=given_name, surname=surname, **fields
    )
    give_email(user, f"{name}@example.net")
    give_app(user)
    return user


def make_person(
    name: str, domain: str, *, licence: Subscription | None = None, **fields: Any
) -> User:
    """`name@domain` with PASSWORD, in the tenant in force; `fields` are columns of `User`.

    `password=None` makes one without a password that works.
    """
    password = fields.pop("password", PASSWORD)
    given_name = fields.setdefault("given_name", name.capitalize())
    fields.setdefault("display_name", f"{given_name} {fields.get('surname', '')}".strip())
    user = User(user_id=canonical(f"{name}@{domain}"), licence=licence, **fields)
    if password is None:
        user.set_unusable_password()
    else:
        user.password = hashed(password)
    _keep(user)
    return user


def make_guest(email: str, domain: str, origin: str, *, home: str = "") -> User:
    """A guest with the registered address `email` and an app, found by either ID or address."""
    local = email.replace("@", "_")
    user = make_person(
        f"{local}#EXT#",
        domain,
        kind=User.Kind.GUEST,
        origin=origin,
        home=home,
        given_name=local.partition("_")[0].capitalize(),
        guest_lookup=guest_lookup(email),
        licence=Subscription.objects.first(),
        password=None,
    )
    give_email(user, email)
    give_app(user)
    return user


def give_contact(user: User, kind: str, value: str, *, confirmed: bool = True) -> ContactPoint:
    """An address or number on file; `kind` is one of `ContactPoint.Kind`."""
    row = ContactPoint(user=user, kind=kind, confirmed_at=_CONFIRMED if confirmed else None)
    row.write(value, anchor_of(kind, value))
    _keep(row)
    return row


def give_email(user: User, address: str) -> ContactPoint:
    """The alternate address: the one codes are sent to."""
    return give_contact(user, ContactPoint.Kind.ALTERNATE_EMAIL.value, address)


def give_primary_email(user: User, address: str) -> ContactPoint:
    """The mailbox notices go to."""
    return give_contact(user, ContactPoint.Kind.PRIMARY_EMAIL.value, address)


def give_mobile(user: User, number: str = ALICE_MOBILE) -> ContactPoint:
    return give_contact(user, ContactPoint.Kind.MOBILE_PHONE.value, number)


def give_office(user: User, number: str = ALICE_OFFICE) -> ContactPoint:
    return give_contact(user, ContactPoint.Kind.OFFICE_PHONE.value, number)


def give_app(user: User, seed: bytes | None = None) -> bytes:
    """A confirmed authenticator app; returns its seed, `seed_of(user)` unless one is given."""
    chosen = seed_of(user) if seed is None else seed
    device = AuthenticatorDevice(user=user, name=DEVICE_NAME, confirmed=True)
    device.write_seed(chosen)
    _keep(device)
    return chosen


def give_questions(user: User, answers: Mapping[str, str] = QUESTIONS) -> None:
    with nullcontext() if _waiting.get() is not None else _written_together():
        for question, answer in answers.items():
            answer_hash = hashed(normalise_answer(answer))
            _keep(QuestionAnswer(user=user, question=question, answer_hash=answer_hash))


def make_group(name: str, members: tuple[User, ...] = (), inner: tuple[Group, ...] = ()) -> Group:
    """A group with these people, and with these groups inside it."""
    group: Group = Group.objects.create(name=name)
    GroupMember.objects.bulk_create(GroupMember(group=group, user=user) for user in members)
    GroupNesting.objects.bulk_create(GroupNesting(parent=group, child=child) for child in inner)
    return group


def seed_of(user: User) -> bytes:
    """The seed of the app that `give_app(user)` registers, 20 bytes, the same in every run."""
    return hashlib.sha256(f"seed of {user.user_id}".encode()).digest()[:20]


def app_code(user: User, now: datetime, *, seed: bytes | None = None) -> str:
    """What the app shows at `now`."""
    clock = TOTP(seed_of(user) if seed is None else seed, step=30, digits=6)
    clock.time = now.timestamp()
    return f"{clock.token():06d}"


@cache
def hashed(text: str) -> str:
    """The hash of a password or normalised answer, made once a run."""
    return make_password(text)
