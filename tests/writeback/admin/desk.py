"""An administrator at work at the time of the test's clock."""

from typing import Any

from django.http import HttpResponse

from accounts.models import User
from tenants.models import AuditEvent
from tests.cast import Organisation, hashed
from tests.resets.visitor import Clock
from tests.services.signed_in import signed_in_client
from tests.tenants.admin.desk import Desk


class ClockDesk(Desk):
    """Like a `Desk`; every request is made at the clock's time."""

    def __init__(self, organisation: Organisation, user: User, clock: Clock) -> None:
        self.clock = clock
        with clock.running():
            self.client = signed_in_client(
                organisation, user, proved=["app_code"], proved_at=clock.now
            )

    def get(self, path: str) -> HttpResponse:
        with self.clock.running():
            answer: Any = self.client.get(f"/admin/{path}")
        found: HttpResponse = answer
        return found

    def read(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.decode()

    def post(self, path: str, fields: dict[str, Any]) -> HttpResponse:
        with self.clock.running():
            return super().post(path, fields)


def colleague(organisation: Organisation, clock: Clock, *roles: str) -> ClockDesk:
    """Somebody who holds these roles alone."""
    name = "-".join(roles)[:60].replace("_", "-") or "nobody"
    with organisation.inside():
        user = User.objects.filter(user_id=f"{name}@{organisation.domain}").first()
        if user is None:
            user = User.objects.create(
                user_id=f"{name}@{organisation.domain}",
                display_name=name,
                roles=list(roles),
                password=hashed("Tall-Ships 4 Everybody"),
            )
    return ClockDesk(organisation, user, clock)


def events(organisation: Organisation, event_type: str) -> list[AuditEvent]:
    with organisation.inside():
        rows = AuditEvent.objects.filter(type=event_type)
        return list(rows.order_by("created_at", "id"))


def page(answer: HttpResponse) -> str:
    """Where an answer leads, below the site."""
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"].removeprefix("/admin/")


def refusal(answer: HttpResponse) -> str:
    """What a form that was refused says."""
    assert answer.status_code == 200, answer.status_code
    text = answer.content.decode()
    assert "Nothing was saved yet" in text
    return text
