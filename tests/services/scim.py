"""A SCIM 2.0 service on loopback, of the shape of RFC 7643 and RFC 7644."""

import re
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.services.faulty import Asked, FaultyService, Said

TOKEN = "a-token-of-the-service"
ALICE = "2819c223-7f76-453a-919d-413861904646"
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
EXTENSION = "urn:example:params:scim:schemas:extension:1.0:User"
MUST_CHANGE = f"{EXTENSION}:mustChange"
_USER = re.compile(r"/scim/v2/Users/(.+)")


@dataclass
class ScimUser:
    login: str
    password: str = "Start-Passw0rd-1"
    active: bool = True
    must_change: bool = False
    version: int = 1
    modified: datetime = START

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'


@dataclass
class ScimOffer:
    """What the service says it can do, and what it refuses."""

    patch: bool = True
    etag: bool = True
    change_password: bool = True
    mutability: str = "writeOnly"
    shows_schemas: bool = True
    refuses: tuple[str, ...] = ("too short",)
    may_write: bool = True
    shows_modified: bool = True
    users: dict[str, ScimUser] = field(default_factory=dict)


class ScimDouble(FaultyService):
    """One service with alice in it."""

    content_type = "application/scim+json"

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.offer = ScimOffer(users={ALICE: ScimUser("alice@contoso.example")})

    @property
    def base(self) -> str:
        return f"{self.url}/scim/v2"

    @property
    def alice(self) -> ScimUser:
        return self.offer.users[ALICE]

    def touch(self, user: ScimUser) -> None:
        """Somebody changes something of this person."""
        user.version += 1
        user.modified += timedelta(milliseconds=1)

    def answer(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401)
        if asked.path == "/scim/v2/ServiceProviderConfig":
            return Said(200, self._config())
        if asked.path == f"/scim/v2/Schemas/{CORE}" and self.offer.shows_schemas:
            attribute = {"name": "password", "mutability": self.offer.mutability}
            return Said(200, {"id": CORE, "attributes": [{"name": "userName"}, attribute]})
        match = _USER.fullmatch(asked.path)
        user = self.offer.users.get(match[1]) if match else None
        if match is None or user is None:
            return error(404)
        if asked.method == "GET":
            return Said(200, self._shown(match[1], user), {"ETag": user.etag})
        return self._patched(asked, user) if asked.method == "PATCH" else error(405)

    def _config(self) -> dict[str, Any]:
        return {
            "patch": {"supported": self.offer.patch},
            "etag": {"supported": self.offer.etag},
            "changePassword": {"supported": self.offer.change_password},
        }

    def _shown(self, anchor: str, user: ScimUser) -> dict[str, Any]:
        meta = {"resourceType": "User", "version": user.etag, "location": f"{self.base}/Users/"}
        if self.offer.shows_modified:
            meta["lastModified"] = user.modified.isoformat(timespec="milliseconds")
        return {
            "schemas": [CORE],
            "id": anchor,
            "userName": user.login,
            "active": user.active,
            "meta": meta,
        }

    def _patched(self, asked: Asked, user: ScimUser) -> Said:
        body = asked.json()
        if asked.headers.get("content-type") != self.content_type or not self.offer.may_write:
            return error(403)
        if body.get("schemas") != [PATCH_OP] or not body.get("Operations"):
            return error(400, "invalidSyntax")
        if self.offer.etag and asked.headers.get("if-match") not in {None, user.etag}:
            return error(412)
        values = {item["path"]: item["value"] for item in body["Operations"]}
        if not set(values) <= {"password", MUST_CHANGE}:
            return error(400, "invalidPath")
        if values["password"] in self.offer.refuses:
            return error(400, "invalidValue")
        user.password = values["password"]
        user.must_change = values.get(MUST_CHANGE, False)
        self.touch(user)
        return Said(204, None, {"ETag": user.etag})


def error(status: int, scim_type: str = "") -> Said:
    """An error as RFC 7644, 3.12 writes it."""
    body: dict[str, Any] = {"schemas": [ERROR], "status": str(status), "detail": "In words."}
    return Said(status, body | ({"scimType": scim_type} if scim_type else {}))
