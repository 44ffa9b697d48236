"""Microsoft Graph and Entra's token endpoint on loopback, as their pages describe them.

Two services of the internet in one: the paths tell them apart. What Graph does beyond its pages is
not here. An operation takes `polls` questions before it ends.
"""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.services.faulty import Asked, FaultyService, Said

TENANT, CLIENT, SECRET = "contoso.example", "sspr-at-contoso", "an application's secret"
METHOD = "28c10230-6103-485e-b985-444c60001490"
ALICE = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
ADMIN = "87d349ed-44d7-43e1-9a83-5f2406dee5bd"
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
_USER = re.compile(r"/v1\.0/users/([^/]+)(/.*)?")


@dataclass
class GraphUser:
    """A user of the tenant. force: whether another password is asked for at the next sign-in;
    error: the number that the token endpoint gives for the right password."""

    login: str
    password: str = "Start-Passw0rd-1"
    enabled: bool = True
    is_admin: bool = False
    force: bool = False
    changed_at: datetime | None = START
    sessions_ended: int = 0
    error: int = 0


@dataclass
class Order:
    """An operation. left: how many more questions it takes; detail: why it will fail, "" if not."""

    user: str
    password: str
    left: int
    detail: str = ""
    status: str = "notStarted"


@dataclass
class GraphTenant:
    """refuses: passwords that the tenant's rules refuse; may_reset: whether this application has
    the right to `resetPassword`, may_write: to `passwordProfile`."""

    users: dict[str, GraphUser] = field(default_factory=dict)
    refuses: tuple[str, ...] = ("too short",)
    may_reset: bool = True
    may_write: bool = True
    may_read_roles: bool = True
    polls: int = 3
    location: str = ""


class GraphDouble(FaultyService):
    """One tenant with alice, a person, and ADMIN, who holds a role of the directory."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.tenant = GraphTenant(
            {
                ALICE: GraphUser("alice@contoso.example"),
                ADMIN: GraphUser("admin@contoso.example", is_admin=True),
            }
        )
        self._tokens: set[str] = set()
        self._orders: dict[str, Order] = {}
        self._ticks = 0

    @property
    def alice(self) -> GraphUser:
        return self.tenant.users[ALICE]

    def answer(self, asked: Asked) -> Said:
        if asked.path == f"/{TENANT}/oauth2/v2.0/token" and asked.method == "POST":
            return self._token(asked.form())
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return error(401, "InvalidAuthenticationToken")
        match = _USER.fullmatch(asked.path)
        user = self.tenant.users.get(match[1].lower()) if match else None
        if match is None or user is None:
            return error(404, "Request_ResourceNotFound")
        return self._of_user(asked, match[1].lower(), user, match[2] or "")

    def _token(self, form: dict[str, str]) -> Said:
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return _refused("invalid_client", 7000215, 401)
        if form.get("scope") != f"{self.url}/.default":
            return _refused("invalid_scope", 70011, 400)
        if form.get("grant_type") == "password":
            return self._signed_in(form)
        if form.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type", 70003, 400)
        return self._granted()

    def _granted(self) -> Said:
        token = uuid4().hex
        self._tokens.add(token)
        return Said(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _signed_in(self, form: dict[str, str]) -> Said:
        for user in self.tenant.users.values():
            if user.login == form.get("username"):
                if user.password != form.get("password"):
                    return _refused("invalid_grant", 50126, 400)
                return _refused("invalid_grant", user.error, 400) if user.error else self._granted()
        return _refused("invalid_grant", 50034, 400)

    def _of_user(self, asked: Asked, anchor: str, user: GraphUser, rest: str) -> Said:
        calls: dict[str, Callable[[], Said]] = {
            "GET ": lambda: Said(200, _shown(anchor, user)),
            "GET /transitiveMemberOf/microsoft.graph.directoryRole": lambda: self._roles(user),
            "PATCH ": lambda: self._written(user, asked.json()),
            "POST /revokeSignInSessions": lambda: _ended(user),
            f"POST /authentication/methods/{METHOD}/resetPassword": lambda: self._ordered(
                anchor, asked.json()
            ),
        }
        call = calls.get(f"{asked.method} {rest}")
        if call is not None:
            return call()
        if asked.method == "GET" and rest.startswith("/authentication/operations/"):
            return self._followed(rest.rpartition("/")[2])
        return error(405, "Request_BadRequest")

    def _roles(self, user: GraphUser) -> Said:
        if not self.tenant.may_read_roles:
            return error(403, "Authorization_RequestDenied")
        return Said(200, {"value": [{"id": str(uuid4())}] if user.is_admin else []})

    def _written(self, user: GraphUser, body: dict[str, Any]) -> Said:
        if not self.tenant.may_write or user.is_admin:
            return error(403, "Authorization_RequestDenied")
        profile = body["passwordProfile"]
        if profile.get("password") in self.tenant.refuses:
            return error(400, "Request_BadRequest")
        if "password" in profile:
            self._set(user, profile["password"])
        user.force = profile.get("forceChangePasswordNextSignIn", user.force)
        return Said(204)

    def _ordered(self, anchor: str, body: dict[str, Any]) -> Said:
        if not self.tenant.may_reset:
            return error(403, "accessDenied")
        password = body.get("newPassword", "")
        detail = "passwordValidationFailed" if password in self.tenant.refuses else ""
        number = str(uuid4())
        self._orders[number] = Order(anchor, password, self.tenant.polls, detail)
        path = f"/v1.0/users/{anchor}/authentication/operations/{number}?aadgdc=DUB02P"
        return Said(202, {}, {"Location": self.tenant.location or f"{self.url}{path}"})

    def _followed(self, number: str) -> Said:
        order = self._orders.get(number)
        if order is None:
            return error(404, "resourceNotFound")
        order.left -= 1
        if order.left > 0:
            order.status = "running"
        elif order.status not in {"succeeded", "failed"}:
            order.status = "failed" if order.detail else "succeeded"
            if not order.detail:
                self._set(self.tenant.users[order.user], order.password)
                self.tenant.users[order.user].force = True
        return Said(200, {"id": number, "status": order.status, "statusDetail": order.detail})

    def _set(self, user: GraphUser, password: str) -> None:
        """Each change is a second later than the one before, without a clock."""
        self._ticks += 1
        user.password = password
        user.changed_at = START + timedelta(seconds=self._ticks)


def error(status: int, code: str, **headers: str) -> Said:
    """An error as Graph writes it."""
    return Said(status, {"error": {"code": code, "message": "In words."}}, headers)


def _refused(code: str, number: int, status: int) -> Said:
    return Said(status, {"error": code, "error_codes": [number], "error_description": "In words."})


def _ended(user: GraphUser) -> Said:
    user.sessions_ended += 1
    return Said(200, {"value": True})


def _shown(anchor: str, user: GraphUser) -> dict[str, Any]:
    at = user.changed_at
    return {
        "id": anchor,
        "userPrincipalName": user.login,
        "accountEnabled": user.enabled,
        "lastPasswordChangeDateTime": None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}",
    }
