"""An administrator at a form: what a page shows is filled in, changed and sent."""

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.tenants.admin.cast import House, make_person, signed_in


class Form(HTMLParser):
    """The fields of the page's form as a browser would send them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._inside = False
        self._area = ""
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = values.get("class") == "asked"
        if not self._inside:
            return
        name = values.get("name", "")
        if tag == "textarea":
            self._area = name
            self.fields[name] = [""]
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in values:
            self.fields.setdefault(self._select, []).append(values.get("value", ""))
        elif tag == "input":
            is_box = values.get("type") in {"checkbox", "radio"}
            if name and ("checked" in values or not is_box):
                value = values.get("value", "on" if is_box else "")
                self.fields.setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            # The line break after the opening tag belongs to the markup.
            self.fields[self._area][0] = self.fields[self._area][0].removeprefix("\n")
            self._area = ""
        if tag == "form":
            self._inside = False


class Desk:
    """One administrator, signed in."""

    def __init__(self, user_id: str) -> None:
        self.client: Client = signed_in(user_id)

    def read(self, path: str) -> str:
        answer = self.client.get(f"/admin/{path}")
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.decode()

    def filled(self, path: str, **changes: Any) -> dict[str, Any]:
        """The form as it stands with these changes; None takes a field out."""
        fields: dict[str, Any] = {**Form(self.read(path)).fields, **changes}
        return {name: value for name, value in fields.items() if value is not None}

    def send(self, path: str, **changes: Any) -> HttpResponse:
        return self.post(path, self.filled(path, **changes))

    def post(self, path: str, fields: dict[str, Any]) -> HttpResponse:
        answer: HttpResponse = self.client.post(f"/admin/{path}", fields)  # type: ignore[assignment]
        return answer


def colleague(house: House, role: str) -> Desk:
    """Somebody of this house who holds only `role`, signed in."""
    name = f"{role.replace('_', '-')}@{house.domain}"
    with tenant_context(house.tenant):
        if not User.objects.filter(user_id=name).exists():
            make_person(name, role, roles=[role])
    return Desk(name)


def trail(house: House, event_type: str) -> list[AuditEvent]:
    with tenant_context(house.tenant):
        return list(AuditEvent.objects.filter(type=event_type).order_by("created_at", "id"))


def row_page(house: House, table: str, more: str = "change/") -> str:
    return f"{table}/{house.rows[table]}/{more}"


def is_saved(answer: HttpResponse) -> bool:
    return answer.status_code == 302
