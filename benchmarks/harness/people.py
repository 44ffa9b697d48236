"""Tenants and people of a benchmark, made by the product's own code in this process."""

import hashlib
import time
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.utils import timezone
from django_otp.oath import TOTP

from accounts.config_rows import DEVICE_NAME, anchor_of
from accounts.models import AuthenticatorDevice, ContactPoint, User
from accounts.person_key import person_key
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import limit_for
from tenants.models import Domain, Host, ResetPolicy, Subscription, Tenant
from tenants.services import create_tenant, get_platform

PASSWORD = "Tall-Ships 4 Everybody"
NEW_PASSWORD = "Quiet-Harbour 7 Lanterns"
KINDS = {
    "able": "a",
    "unknown": "u",
    "disabled": "d",
    "unlicensed": "l",
    "unregistered": "r",
    "locked": "k",
    "locked unknown": "x",
}
"""Who somebody is, and the letter their names begin with; all names are equally long."""
NOBODY = frozenset({"unknown", "locked unknown"})
_MADE = 500


@dataclass(frozen=True)
class Place:
    """One tenant with a domain and a host of its own."""

    tenant: UUID
    domain: str
    host: str


@dataclass(frozen=True)
class Person:
    """Somebody who may reset, or one of the KINDS that may not. `mailbox` gets the code."""

    place: Place
    user_id: str
    mailbox: str
    primary: str
    seed: bytes

    def app_code(self) -> str:
        """What the authenticator app shows now."""
        clock = TOTP(self.seed, step=30, digits=6)
        clock.time = time.time()
        return f"{clock.token():06d}"


def make_place(name: str, *, concealed: bool = False) -> Place:
    """A tenant on plan P1 that asks for two proofs, by mail and by app."""
    get_platform()
    disclosure = Tenant.Disclosure.CONCEALED if concealed else Tenant.Disclosure.GUIDED
    tenant = create_tenant(
        name,
        name.capitalize(),
        languages=["en"],
        disclosure=disclosure,
        helpdesk_email=f"help@{name}.example",
        brand_color="#0b5cad",
    )
    place = Place(tenant.id, f"{name}.example", f"{name}.bench.test")
    with tenant_context(tenant.id):
        Domain.objects.create(name=place.domain, verified=True, custom=True)
        Host.objects.create(name=place.host)
        Subscription.objects.create(plan="p1")
        ResetPolicy.objects.create(methods=["email", "app_code"], methods_required=2)
    return place


@cache
def _password() -> str:
    return make_password(PASSWORD)


def make_people(place: Place, kind: str, count: int, *, first: int = 0) -> list[Person]:
    """`count` people of one kind, each with a mailbox and an app of their own on file."""
    people = [_person(place, kind, number) for number in range(first, first + count)]
    for begin in range(0, count, _MADE):
        some = people[begin : begin + _MADE]
        with tenant_context(place.tenant):
            if kind not in NOBODY:
                _write(kind, some)
            if kind.startswith("locked"):
                for person in some:
                    _lock(person)
    return people


def _person(place: Place, kind: str, number: int) -> Person:
    name = f"{KINDS[kind]}{number:07d}"
    seed = hashlib.sha256(f"{name}@{place.domain}".encode()).digest()[:20]
    mailbox, primary = f"{name}@{place.domain}.net", f"{name}@mail.{place.domain}"
    return Person(place, f"{name}@{place.domain}", mailbox, primary, seed)


def _write(kind: str, people: list[Person]) -> None:
    licence = None if kind == "unlicensed" else Subscription.objects.get()
    users = [
        User(
            user_id=person.user_id,
            display_name=f"{person.user_id.partition('@')[0]} Example",
            given_name="Able",
            surname="Example",
            is_active=kind != "disabled",
            licence=licence,
            password=_password(),
        )
        for person in people
    ]
    User.objects.bulk_create(users)
    contacts, devices = [], []
    for user, person in zip(users, people, strict=True):
        contacts.append(_contact(user, ContactPoint.Kind.PRIMARY_EMAIL.value, person.primary))
        if kind == "unregistered":
            continue
        contacts.append(_contact(user, ContactPoint.Kind.ALTERNATE_EMAIL.value, person.mailbox))
        device = AuthenticatorDevice(user=user, name=DEVICE_NAME, confirmed=True)
        device.write_seed(person.seed)
        devices.append(device)
    ContactPoint.objects.bulk_create(contacts)
    AuthenticatorDevice.objects.bulk_create(devices)


def _contact(user: User, kind: str, value: str) -> ContactPoint:
    row = ContactPoint(user=user, kind=kind, confirmed_at=timezone.now())
    row.write(value, anchor_of(kind, value))
    return row


def _lock(person: Person) -> None:
    """As if all proofs of the day had been used up."""
    limit = limit_for("failed_proofs", {})
    count = Count(limit, person_key(person.user_id).hex())
    for _ in range(limit.count):
        count_up([count], timezone.now())


def administrator_of(place: Place) -> Person:
    """What there is to know of the administrator that `make_administrator` makes."""
    user_id = f"ada@{place.domain}"
    return Person(place, user_id, "", "", hashlib.sha256(user_id.encode()).digest()[:20])


def make_administrator(place: Place) -> Person:
    """Somebody who may sign in to the tenant's administration site, with the two methods that
    administrators have to register."""
    person = administrator_of(place)
    with tenant_context(place.tenant):
        user: User = User.objects.create(
            user_id=person.user_id,
            display_name="Ada Example",
            given_name="Ada",
            surname="Example",
            roles=["global_administrator"],
            password=_password(),
        )
        device = AuthenticatorDevice(user=user, name=DEVICE_NAME, confirmed=True)
        device.write_seed(person.seed)
        device.save()
        mailbox = f"{person.user_id}.net"
        _contact(user, ContactPoint.Kind.ALTERNATE_EMAIL.value, mailbox).save()
    return person
