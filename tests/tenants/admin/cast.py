"""Two tenants side by side: Contoso, whose administrator looks, and one called BETA-CANARY, of
which nothing may ever be seen. Both have a row in every table of the site."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.http import HttpResponse
from django.test import Client

from accounts.models import (
    Application,
    AuthenticatorDevice,
    ContactPoint,
    GroupMember,
    IdentityProvider,
    QuestionAnswer,
    User,
)
from notifications.services import CodeSource, Recipient, notify
from resets.models import Challenge, Flow, Gate
from tenants.audit import Event, Party, record_many
from tenants.context import tenant_context
from tenants.models import Domain, Group, GroupNesting, Host, ResetPolicy, Subscription
from tenants.reference import new_reference
from tenants.services import create_tenant, get_platform
from tests.cast import hashed
from tests.credentials import give_token, token_of
from tests.services.signed_in import prove_client
from writeback.models import (
    Agent,
    Connector,
    DirectoryLink,
    DirectoryOrder,
    ExpiryReminders,
    Reminder,
    WritebackJob,
)

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PASSWORD = "Correct-Horse-7-Battery"
CANARY = "BETA-CANARY"
SECRET_SEED = b"seed-of-twenty-bytes"
ALTERNATE, MOBILE = "bob.private@post.example", "+14255550142"
NONCE, BINDING = b"nonce-of-the-cod", b"binding-of-the-code"


@dataclass(frozen=True)
class House:
    """One tenant. `rows` holds the id of one row of each table, by the name in its URL."""

    tenant: UUID
    host: str
    domain: str
    admin: str
    person: str
    reference: str
    rows: dict[str, UUID]


def contoso() -> House:
    return build_house("contoso", "Contoso", "contoso.example", "A")


def canary() -> House:
    return build_house("beta-canary", f"{CANARY} Ltd", "beta-canary.example", CANARY)


def build_house(slug: str, name: str, domain: str, mark: str) -> House:
    """A tenant with an administrator, a person who registered everything, and one journey."""
    get_platform()
    tenant = create_tenant(slug, name, helpdesk_email=f"help@{domain}").id
    host = f"{slug}.localhost"
    with tenant_context(tenant):
        rows = {"tenants/tenant": tenant}
        rows["tenants/domain"] = Domain.objects.create(name=domain).pk
        rows["tenants/host"] = Host.objects.create(name=host).pk
        rows["tenants/subscription"] = Subscription.objects.create(plan="p1").pk
        policy = ResetPolicy.objects.create(
            methods=["email", "app_code"], custom_questions=[f"{mark} question?"]
        )
        rows["tenants/resetpolicy"] = policy.pk
        admin = make_person(f"ada@{domain}", f"{mark} Ada", roles=["global_administrator"])
        person = make_person(f"bob@{domain}", f"{mark} Bob")
        rows["accounts/user"] = person.pk
        rows["tenants/group"] = _groups(mark, person)
        _belongings(mark, person)
        rows |= _elsewhere(mark, person) | _directory(mark, person, admin)
        flow = journey(person)
        rows["resets/flow"] = flow.pk
        rows["tenants/auditevent"], rows["notifications/message"] = _told(flow, person)
    return House(tenant, host, domain, admin.user_id, person.user_id, flow.reference, rows)


def make_person(user_id: str, name: str, *, roles: Sequence[str] = ()) -> User:
    person: User = User.objects.create(
        user_id=user_id, display_name=name, roles=list(roles), password=hashed(PASSWORD)
    )
    return person


def _groups(mark: str, person: User) -> UUID:
    group = Group.objects.create(name=f"{mark} staff")
    inner = Group.objects.create(name=f"{mark} inner")
    GroupNesting.objects.create(parent=group, child=inner)
    GroupMember.objects.create(group=group, user=person)
    found: UUID = group.pk
    return found


def _elsewhere(mark: str, person: User) -> dict[str, UUID]:
    """A token of the person, an application that signs people in here, and a provider."""
    token = give_token(person, token_of(person), f"{mark}-TOKEN")
    application = Application.objects.create(
        name=f"{mark} application",
        client_id=f"{token.tenant_id.hex}.{mark}",
        redirect_uris=["https://app.example/back"],
        secret_hash=bytes(32),
        created_at=NOW,
    )
    provider = IdentityProvider.objects.create(
        slug="partner",
        name=f"{mark} provider",
        issuer=f"https://{mark.lower()}.example",
        client_id="sspr",
        created_at=NOW,
    )
    return {
        "accounts/credential": token.pk,
        "accounts/application": application.pk,
        "accounts/identityprovider": provider.pk,
    }


def _directory(mark: str, person: User, admin: User) -> dict[str, UUID]:
    """A directory with the person's account, an agent that waits, a job, a reset for them, and
    reminders."""
    connector = Connector.objects.create(name=f"{mark} directory", kind="active_directory")
    link = DirectoryLink.objects.create(user=person, connector=connector, anchor=f"{mark}-anchor")
    reminders = ExpiryReminders.objects.create(days=[14, 1])
    reminder = Reminder.objects.create(
        link=link, day=14, password_ends=NOW + timedelta(days=14), sent_at=NOW
    )
    agent = Agent.objects.create(
        connector=connector, name=f"{mark} agent", identity=bytes(range(32)), enrolled_at=NOW
    )
    order = DirectoryOrder.objects.create(
        administrator=admin,
        user=person,
        session=bytes(32),
        outcome="done",
        created_at=NOW,
        expires_at=NOW,
        finished_at=NOW,
    )
    job = WritebackJob.objects.create(
        connector=connector,
        user=person,
        anchor=f"{mark}-anchor",
        purpose="order",
        operation="reset_and_unlock",
        origin=order.pk,
        sequence=1,
        evidence=bytes(32),
        state="done",
        outcome="succeeded",
        created_at=NOW,
        expires_at=NOW,
        finished_at=NOW,
    )
    return {
        "writeback/connector": connector.pk,
        "writeback/agent": agent.pk,
        "writeback/directoryorder": order.pk,
        "writeback/writebackjob": job.pk,
        "writeback/expiryreminders": reminders.pk,
        "writeback/reminder": reminder.pk,
    }


def _belongings(mark: str, person: User) -> None:
    for kind, value in (("alternate_email", ALTERNATE), ("mobile_phone", MOBILE)):
        contact = ContactPoint(user=person, kind=kind, confirmed_at=NOW)
        contact.write(value, value)
        contact.save()
    device = AuthenticatorDevice(user=person, name=f"{mark} phone", confirmed=True)
    device.write_seed(SECRET_SEED)
    device.save()
    QuestionAnswer.objects.create(user=person, question="first_pet", answer_hash=hashed("rex"))


def journey(person: User) -> Flow:
    """A finished reset with one proof."""
    letters = iter(person.pk.hex * 2)
    flow: Flow = Flow.objects.create(
        secret_hash=bytes(32),
        reference=new_reference(lambda alphabet: alphabet[int(next(letters), 16)]),
        user=person,
        person_key=bytes(32),
        user_id_typed=b"sealed",
        state="done",
        policy="tenant",
        gates_required=1,
        methods=["email"],
        language="en",
        address="192.0.2.7",
        started_at=NOW,
        expires_at=NOW + timedelta(minutes=15),
        finished_at=NOW + timedelta(minutes=1),
    )
    challenge = Challenge.objects.create(
        flow=flow,
        step=1,
        method="email",
        channel="email",
        nonce=bytes(16),
        expires_at=NOW + timedelta(minutes=5),
        created_at=NOW,
    )
    Gate.objects.create(
        flow=flow,
        challenge=challenge,
        step=1,
        method="email",
        user=person,
        anchor=bytes(32),
        evidence="contact",
        seal=bytes(32),
        passed_at=NOW + timedelta(seconds=40),
    )
    return flow


def _told(flow: Flow, person: User) -> tuple[UUID, UUID]:
    party = Party("user", person.pk, person.user_id)
    steps = ("flow.started", "flow.verification_completed", "password.reset")
    record_many(
        [
            Event(
                event_type=step,
                actor=party,
                target=party,
                correlation_id=flow.pk,
                reference=flow.reference,
                address=flow.address,
                now=NOW + timedelta(seconds=20 * number),
                data={"method": "email"} if step == "flow.verification_completed" else {},
            )
            for number, step in enumerate(steps)
        ]
    )
    message = notify(
        "code",
        "email",
        Recipient(ALTERNATE, "en", person.display_name),
        {},
        now=NOW,
        code=CodeSource(NONCE, BINDING),
        reference=flow.reference,
        correlation_id=flow.pk,
    )
    from tenants.models import AuditEvent

    event = AuditEvent.objects.get(correlation_id=flow.pk, type="password.reset")
    return event.pk, message.pk


def try_sign_in(
    user_id: str,
    password: str = PASSWORD,
    *,
    client: Client | None = None,
    host: str = "localhost",
    **more: str,
) -> HttpResponse:
    """Posts the sign-in form; `more` are further fields."""
    browser = client if client is not None else Client()
    response: Any = browser.post(
        "/admin/login/",
        {"user_id": user_id, "password": password, **more},
        headers={"host": host},
    )
    return cast(HttpResponse, response)


def signed_in(user_id: str, *, host: str = "localhost") -> Client:
    """A browser with a session and both factors proved. Requests name a host of their own."""
    client = Client(headers={"host": host})
    response = try_sign_in(user_id, client=client, host=host)
    assert response.status_code == 302, response.content.decode()
    prove_client(client)
    return client
