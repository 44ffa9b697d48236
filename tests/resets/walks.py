"""Stretches of a journey that many tests walk, and changes to the organisation on the way."""

from collections.abc import Mapping
from typing import Any

from accounts.models import User
from resets.models import Challenge, Gate
from tenants.context import tenant_context
from tenants.models import Tenant
from tests.cast import Acme, Organisation, app_code, give_email, make_person
from tests.resets.conftest import Post
from tests.resets.visitor import Page, Visitor

BOB_EMAIL = "bob@example.net"
WRONG_CODE = "000000"


def set_policy(organisation: Organisation, **fields: Any) -> None:
    _set(organisation, organisation.policy, fields)


def set_tenant(organisation: Organisation, **fields: Any) -> None:
    _set(organisation, organisation.tenant, fields)


def set_user(organisation: Organisation, user: User, **fields: Any) -> None:
    _set(organisation, user, fields)


def _set(organisation: Organisation, row: Any, fields: dict[str, Any]) -> None:
    with organisation.inside():
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(update_fields=list(fields))


def make_frank(acme: Acme) -> User:
    """Somebody with one mailbox only, in a tenant that asks for one proof."""
    set_policy(acme, methods_required=1)
    with acme.inside():
        frank = make_person("frank", acme.domain, licence=acme.subscription, surname="Foster")
        give_email(frank, "frank@example.net")
        return frank


def pass_app(visitor: Visitor, user: User) -> Page:
    """Types what the app shows; where a way is to be chosen first, it is chosen."""
    if "method" in visitor.shown.form.choices:
        visitor.fill(method="app_code")
    return visitor.fill(code=app_code(user, visitor.clock.now))


def ask_for_mail(visitor: Visitor, address: str = BOB_EMAIL) -> Page:
    form = visitor.shown.form
    if "method" in form.choices:
        return visitor.fill(method="email", contact=address)
    return visitor.fill(contact=address)


def pass_email(visitor: Visitor, post: Post, address: str = BOB_EMAIL) -> Page:
    ask_for_mail(visitor, address)
    return visitor.fill(code=newest_code(post))


def newest_code(post: Post) -> str:
    codes = [message["data"]["code"] for message in post() if message["kind"] == "code"]
    return str(codes[-1])


def mailed_path(message: Mapping[str, Any], start: str) -> str:
    """The path of the link in a mail, from `start` on."""
    line = next(line for line in message["text"].splitlines() if start in line)
    return str(line[line.index(start) :].strip())


def to_password(visitor: Visitor, user: User, post: Post) -> Page:
    """Bob, or somebody with his two proofs, up to the page that asks for a new password."""
    visitor.start(user.user_id)
    pass_app(visitor, user)
    page = pass_email(visitor, post)
    assert page.state == "choosing"
    return page


def not_it(code: str) -> str:
    """Six digits that are not this code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def wrong_code(visitor: Visitor) -> Page:
    """A wrong answer that can't be right by chance: what is right is read first and avoided."""
    return visitor.fill(code=not_it(right_code(visitor)))


def right_code(visitor: Visitor) -> str:
    """What the pending challenge of this journey takes, as only the product knows it."""
    from resets.models import Flow
    from resets.services.common import bound_to
    from tenants.keys import tenant_keys
    from tests.cast import seed_of

    tenant = _tenant_of(visitor)
    with tenant_context(tenant):
        flow = Flow.objects.get(pk=visitor.flow)
        pending = Challenge.objects.filter(flow=flow, dead=False, used_at=None).get()
        if pending.method == "app_code":
            user = flow.user
            return app_code(user, visitor.clock.now, seed=seed_of(user)) if user else "999999"
        return tenant_keys().code(bytes(pending.nonce), bound_to(flow, pending)).reveal()


def _tenant_of(visitor: Visitor) -> Any:
    from uuid import UUID

    return UUID(hex=visitor.client.cookies["sspr_flow"].value.partition(".")[0])


def gates_of(organisation: Organisation, visitor: Visitor) -> list[Gate]:
    with organisation.inside():
        return list(Gate.objects.filter(flow=visitor.flow).order_by("step"))


def password_is(organisation: Organisation, user: User, password: str) -> bool:
    with organisation.inside():
        user.refresh_from_db()
        return user.check_password(password)


def suspend(organisation: Organisation) -> None:
    with organisation.inside():
        Tenant.objects.update(active=False)
