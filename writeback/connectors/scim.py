"""A directory behind SCIM 2.0 (RFC 7643, RFC 7644).

SCIM knows a person's `password` as a value that can be written and never read. It knows no lock, no
sign-in and no old password, so what needs them is unsupported; `active` is never touched.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from ..outcomes import Witness
from .answers import SignIn
from .base import Change, DirectoryRules, Entry, Rights, Unanswered, Unreachable
from .scim_answers import cause_of_change, code_for_log
from .settings import SettingWrong, Written, is_sendable
from .web import (
    Answer,
    Request,
    Transport,
    WebService,
    address_of,
    as_json,
    base_address,
    fits_header,
    moment,
    transport,
    version_of,
)

KIND: Final = "scim"
SCIM_JSON: Final = "application/scim+json"
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"

_ANCHOR: Final = re.compile(r"\A[A-Za-z0-9._~@:=+,-]{1,255}\Z")
_PATH: Final = re.compile(r"\A[A-Za-z][A-Za-z0-9:._$-]{0,255}\Z")
_SELECTED: Final = "id,userName,active,meta"


@dataclass(frozen=True)
class ScimSettings:
    """base: the address that `/Users` follows; must_change_path: the service's own attribute that
    asks for another password at the next sign-in, because SCIM has none."""

    base: str
    must_change_path: str = ""
    transport: Transport = field(default_factory=Transport)


def from_settings(settings: Mapping[str, object], secret: Callable[[], str]) -> "ScimDirectory":
    """secret: gives the bearer token, each time anew. Raises SettingWrong."""
    written = Written(settings)
    is_test = written.flag("is_test")
    found = ScimSettings(
        base=base_address(written, "base", None, is_test=is_test),
        must_change_path=written.text("must_change_path", ""),
        transport=transport(written),
    )
    written.end()
    if found.must_change_path and not _PATH.match(found.must_change_path):
        raise SettingWrong("must_change_path", "Write the path of an attribute.")
    return ScimDirectory(found, secret)


@dataclass(frozen=True)
class ScimDirectory:
    """One service."""

    settings: ScimSettings
    secret: Callable[[], str] = field(repr=False)

    @property
    def kind(self) -> str:
        return KIND

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [address_of(self.settings.base)]

    @contextmanager
    def connect(self, controller: str = "") -> "Iterator[ScimConnection]":
        with WebService(self.settings.base, self.settings.transport) as service:
            if controller not in {"", service.controller}:
                raise Unreachable("configuration", "another service")
            token = self.secret()
            if not fits_header(token):
                raise Unreachable("configuration", "token")
            yield ScimConnection(self.settings, service, token)

    def sign_in(self, entry: Entry, password: str, controller: str = "") -> SignIn:
        """Nobody signs in through SCIM; `refused` proves nothing."""
        return "refused" if is_sendable(password) else "wrong"


class ScimConnection:
    """The service, for one job. What it offers is read when the connection is made."""

    def __init__(self, settings: ScimSettings, service: WebService, token: str) -> None:
        self._settings = settings
        self._service = service
        self._headers = {"Authorization": f"Bearer {token}", "Accept": SCIM_JSON}
        self._versions: dict[str, str] = {}
        self._offered = service.find("/ServiceProviderConfig", self._headers) or {}

    @property
    def controller(self) -> str:
        return self._service.controller

    def find(self, anchor: str) -> Entry | None:
        """anchor: the `id` that the service gave. Its `userName` is the login."""
        if not _ANCHOR.match(anchor) or not anchor.strip("."):
            return None
        found = self._user(anchor)
        if found is None:
            return None
        return Entry(
            anchor=anchor,
            place=_place(anchor),
            login=str(found.get("userName") or ""),
            enabled=found.get("active") is not False,
        )

    def witness(self, entry: Entry) -> Witness:
        """version: microseconds of `meta.lastModified`. Whatever is changed of a person moves it,
        not their password alone; two changes within what the service counts look like one."""
        found = self._user(entry.anchor)
        if found is None:
            raise Unreachable("configuration", "person")
        changed_at = moment(_object(found, "meta").get("lastModified"))
        if changed_at is None:
            raise Unreachable("configuration", "meta.lastModified")
        return Witness(self.controller, version_of(changed_at), changed_at)

    def set_password(self, entry: Entry, new: str, *, unlock: bool, must_change: bool) -> Change:
        """Only on the person as they were last read here, where the service has versions.

        unlock: there is no lock that could be seen or lifted, so nothing is told of one.
        """
        if not is_sendable(new):
            return Change("password_rules", code="not a password")
        if not self._offers("patch") or (must_change and not self._settings.must_change_path):
            return Change("unsupported")
        operations: list[dict[str, object]] = [{"op": "replace", "path": "password", "value": new}]
        if must_change:
            path = self._settings.must_change_path
            operations.append({"op": "replace", "path": path, "value": True})
        version = self._versions.get(entry.anchor, "")
        headers = {"If-Match": version} if fits_header(version) and self._offers("etag") else {}
        answer = self._service.change(
            Request(
                "PATCH",
                _place(entry.anchor),
                {**self._headers, **headers, "Content-Type": SCIM_JSON},
                as_json({"schemas": [PATCH_OP], "Operations": operations}),
            )
        )
        return self._change_of(answer)

    def change_password(self, entry: Entry, old: str, new: str) -> Change:
        return Change("unsupported")

    def unlock(self, entry: Entry) -> Change:
        return Change("unsupported")

    def rules(self, entry: Entry | None) -> DirectoryRules:
        """A service has rules, but SCIM has no words for them."""
        return DirectoryRules()

    def rights(self, entry: Entry) -> Rights:
        """What the service says it offers; whether to this account it tells only by refusing."""
        can_reset = self._offers("patch") and self._offers("changePassword") and self._is_writable()
        must_change = can_reset and bool(self._settings.must_change_path)
        return Rights(reset=can_reset, unlock=False, must_change=must_change)

    def _change_of(self, answer: Answer) -> Change:
        """Raises Unanswered when the answer does not tell what was done."""
        scim_type = answer.text("scimType")
        cause = cause_of_change(answer.status, scim_type, comes_again=answer.comes_again)
        if cause is None:
            raise Unanswered(self.controller)
        return Change(cause, code="" if cause == "" else code_for_log(answer.status, scim_type))

    def _offers(self, feature: str) -> bool:
        return _object(self._offered, feature).get("supported") is True

    def _is_writable(self) -> bool:
        """Whether the service's own schema lets a password be written; yes where it shows none."""
        schema = self._service.find(f"/Schemas/{USER}", self._headers)
        attributes = (schema or {}).get("attributes")
        if not isinstance(attributes, list):
            return True
        return any(
            isinstance(item, dict)
            and item.get("name") == "password"
            and item.get("mutability") in {"writeOnly", "readWrite"}
            for item in attributes
        )

    def _user(self, anchor: str) -> Mapping[str, Any] | None:
        found = self._service.find(f"{_place(anchor)}?attributes={_SELECTED}", self._headers)
        if found is None:
            return None
        if found.get("id") != anchor:
            raise Unreachable("configuration", "another person")
        self._versions[anchor] = str(_object(found, "meta").get("version") or "")
        return found


def _place(anchor: str) -> str:
    return f"/Users/{quote(anchor, safe='')}"


def _object(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}
