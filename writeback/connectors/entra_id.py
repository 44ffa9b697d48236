"""Microsoft Entra ID, through Microsoft Graph.

A password is set in one of two ways. `profile` writes `passwordProfile` of the user, in one
request; an application may be given the right to it. `operation` is `resetPassword`, which also
reaches a directory behind a hybrid tenant: Graph takes the order and is asked until it is done.
Graph's pages name no application permission for the second, so a tenant may answer it with 403.

The connector signs in as an application of the tenant (client credentials), once for each job.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit
from uuid import UUID

from ..outcomes import Witness
from .answers import SignIn
from .base import Change, DirectoryRules, Entry, Rights, Unanswered, Unreachable
from .graph_answers import answer_of_sign_in, cause_of_change, cause_of_failure, code_for_log
from .settings import SettingWrong, Written, is_sendable
from .web import (
    FORM,
    JSON,
    Answer,
    Request,
    Transport,
    WebService,
    address_of,
    as_form,
    as_json,
    base_address,
    fits_header,
    moment,
    transport,
    version_of,
)

KIND: Final = "entra_id"
GRAPH: Final = "https://graph.microsoft.com/v1.0"
LOGIN: Final = "https://login.microsoftonline.com"
PASSWORD_METHOD: Final = "28c10230-6103-485e-b985-444c60001490"  # noqa: S105 - the method's id
PUBLISHED_RULES: Final = DirectoryRules(min_length=8, history=1, complexity=True)
"""Of every tenant; what else it has set up is not told to an application."""

Way = Literal["profile", "operation"]

_ANCHOR: Final = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_TENANT: Final = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
_SELECTED: Final = "id,userPrincipalName,accountEnabled,lastPasswordChangeDateTime"
_NEVER: Final = datetime.fromtimestamp(0, UTC)
_PROFILE: Final = "passwordProfile"
_FORCE: Final = "forceChangePasswordNextSignIn"
_OWN_ACCOUNT: Final = frozenset({"invalid_client", "unauthorized_client", "access_denied"})


@dataclass(frozen=True)
class EntraSettings:
    """tenant: its id or one of its domains; client: the application's id; signs_in: whether a
    password may be tried at the token endpoint, which the tenant has to allow the application;
    operation_timeout: seconds that an operation is waited for, asked for every `poll_every`."""

    tenant: str
    client: str
    graph: str = GRAPH
    login: str = LOGIN
    way: Way = "profile"
    revoke_sessions: bool = False
    signs_in: bool = False
    operation_timeout: float = 30.0
    poll_every: float = 1.0
    transport: Transport = field(default_factory=Transport)


def from_settings(settings: Mapping[str, object], secret: Callable[[], str]) -> "EntraDirectory":
    """secret: gives the application's client secret, each time anew. Raises SettingWrong."""
    written = Written(settings)
    is_test = written.flag("is_test")
    found = EntraSettings(
        tenant=written.text("tenant"),
        client=written.text("client"),
        graph=base_address(written, "graph", GRAPH, is_test=is_test),
        login=base_address(written, "login", LOGIN, is_test=is_test),
        way=cast(Way, written.choice("way", ("profile", "operation"))),
        revoke_sessions=written.flag("revoke_sessions"),
        signs_in=written.flag("signs_in"),
        operation_timeout=written.seconds("operation_timeout", EntraSettings.operation_timeout),
        poll_every=written.seconds("poll_every", EntraSettings.poll_every),
        transport=transport(written),
    )
    written.end()
    if not _TENANT.match(found.tenant):
        raise SettingWrong("tenant", "Write the tenant's id or one of its domains.")
    return EntraDirectory(found, secret)


@dataclass(frozen=True)
class EntraDirectory:
    """One tenant of Entra ID."""

    settings: EntraSettings
    secret: Callable[[], str] = field(repr=False)

    @property
    def kind(self) -> str:
        return KIND

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [address_of(self.settings.graph), address_of(self.settings.login)]

    @contextmanager
    def connect(self, controller: str = "") -> "Iterator[EntraConnection]":
        token = self._token()
        with WebService(self.settings.graph, self.settings.transport) as graph:
            if controller not in {"", graph.controller}:
                raise Unreachable("configuration", "another service")
            yield EntraConnection(self.settings, graph, token)

    def sign_in(self, entry: Entry, password: str, controller: str = "") -> SignIn:
        """`refused`, which proves nothing, unless the settings allow to try."""
        if not is_sendable(password):
            return "wrong"
        if not self.settings.signs_in:
            return "refused"
        answer = self._asked_for_token(
            {"grant_type": "password", "username": entry.login, "password": password}
        )
        numbers = answer.body.get("error_codes")
        return answer_of_sign_in(answer.status, numbers if isinstance(numbers, list) else [])

    def _token(self) -> str:
        answer = self._asked_for_token({"grant_type": "client_credentials"})
        token = answer.text("access_token")
        if answer.status == 200 and fits_header(token):
            return token
        if answer.status == 429 or answer.status >= 500:
            raise Unreachable("unreachable", str(answer.status))
        if answer.text("error") in _OWN_ACCOUNT:
            raise Unreachable("account", answer.text("error"))
        raise Unreachable("configuration", str(answer.status))

    def _asked_for_token(self, grant: Mapping[str, str]) -> Answer:
        graph = urlsplit(self.settings.graph)
        form = {
            "client_id": self.settings.client,
            "client_secret": self.secret(),
            "scope": f"{graph.scheme}://{graph.netloc}/.default",
            **grant,
        }
        path = f"/{self.settings.tenant}/oauth2/v2.0/token"
        with WebService(self.settings.login, self.settings.transport) as login:
            return login.read(Request("POST", path, {"Content-Type": FORM}, as_form(form)))


class EntraConnection:
    """Graph, for one job."""

    def __init__(self, settings: EntraSettings, graph: WebService, token: str) -> None:
        self._settings = settings
        self._graph = graph
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": JSON}

    @property
    def controller(self) -> str:
        return self._graph.controller

    def find(self, anchor: str) -> Entry | None:
        """anchor: the user's object id. Whoever holds a role of the directory is protected.

        Entra tells nobody of its smart lockout, so nobody is ever found locked.
        """
        if not _ANCHOR.match(anchor.lower()):
            return None
        anchor = str(UUID(anchor))
        found = self._user(anchor)
        if found is None:
            return None
        roles = self._graph.find(
            f"/users/{anchor}/transitiveMemberOf/microsoft.graph.directoryRole?$select=id",
            self._headers,
        )
        # A right to read the roles that is missing must not make an administrator a person.
        if roles is None or not isinstance(roles.get("value"), list):
            raise Unreachable("configuration", "roles")
        return Entry(
            anchor=anchor,
            place=f"/users/{anchor}",
            login=str(found.get("userPrincipalName") or ""),
            protected=bool(roles["value"]),
            enabled=found.get("accountEnabled") is True,
            changed_at=moment(found.get("lastPasswordChangeDateTime")),
        )

    def witness(self, entry: Entry) -> Witness:
        """version: microseconds of `lastPasswordChangeDateTime`, which only a new password moves;
        it counts whole seconds, so that two changes within one of them look like one."""
        found = self._user(entry.anchor)
        if found is None:
            raise Unreachable("configuration", "person")
        changed_at = moment(found.get("lastPasswordChangeDateTime")) or _NEVER
        return Witness(self.controller, version_of(changed_at), changed_at)

    def set_password(self, entry: Entry, new: str, *, unlock: bool, must_change: bool) -> Change:
        """unlock: there is no lock that could be seen or lifted, so nothing is told of one.

        code: of a success, what could not be done after it.
        """
        if not is_sendable(new):
            return Change("password_rules", code="not a password")
        if self._settings.way == "profile":
            done = self._profile_written(entry, {"password": new, _FORCE: must_change})
        else:
            done = self._operation_done(entry, new, must_change)
        if not done.done or not self._settings.revoke_sessions:
            return done
        return replace(done, code=self._revoked(entry) or done.code)

    def change_password(self, entry: Entry, old: str, new: str) -> Change:
        """Graph changes only the password of whoever is signed in."""
        return Change("unsupported")

    def unlock(self, entry: Entry) -> Change:
        return Change("unsupported")

    def rules(self, entry: Entry | None) -> DirectoryRules:
        return PUBLISHED_RULES

    def rights(self, entry: Entry) -> Rights:
        """Graph tells an application of no right except by refusing; over protected people it has
        none without a role of its own."""
        return Rights(reset=not entry.protected, unlock=False, must_change=not entry.protected)

    def _profile_written(self, entry: Entry, profile: Mapping[str, object]) -> Change:
        answer = self._changed("PATCH", f"/users/{entry.anchor}", {_PROFILE: profile})
        return self._change_of(answer, is_password_alone=True)

    def _operation_done(self, entry: Entry, new: str, must_change: bool) -> Change:
        path = f"/users/{entry.anchor}/authentication/methods/{PASSWORD_METHOD}/resetPassword"
        answer = self._changed("POST", path, {"newPassword": new})
        taken = self._change_of(answer, is_password_alone=False)
        if not taken.done:
            return taken
        done = self._followed(answer)
        if not done.done:
            return done
        # Graph asks for another password after every reset; whoever chose this one keeps it.
        return self._quietly("force", lambda: self._profile_written(entry, {_FORCE: must_change}))

    def _followed(self, order: Answer) -> Change:
        """Asks for the operation until it ended. Raises Unanswered when it did not in time."""
        path = self._operation_path(order.headers.get("location", ""))
        ends_at = time.monotonic() + self._settings.operation_timeout
        wait = order.seconds(self._settings.poll_every)
        while (left := ends_at - time.monotonic()) > 0:
            time.sleep(min(wait, left))
            try:
                answer = self._graph.read(Request("GET", path, self._headers))
            except Unreachable:
                # The order stands; only this question was lost.
                wait = self._settings.poll_every
                continue
            wait = answer.seconds(self._settings.poll_every)
            status = answer.text("status").lower() if answer.is_success else ""
            if status == "succeeded":
                return Change()
            if status == "failed":
                detail = answer.text("statusDetail")
                return Change(cause_of_failure(detail), code=code_for_log(detail, "failed"))
        raise Unanswered(self.controller)

    def _operation_path(self, location: str) -> str:
        """Nothing but Graph itself is shown the token."""
        path = location.removeprefix(self._graph.base)
        if path == location or not path.startswith("/users/") or not path.isascii():
            raise Unanswered(self.controller)
        return path

    def _revoked(self, entry: Entry) -> str:
        def revoke() -> Change:
            answer = self._changed("POST", f"/users/{entry.anchor}/revokeSignInSessions", {})
            return self._change_of(answer, is_password_alone=False)

        return self._quietly("revoke", revoke).code

    def _quietly(self, what: str, step: Callable[[], Change]) -> Change:
        """A step after the password is set: whatever becomes of it, the password stays."""
        try:
            done = step()
        except (Unreachable, Unanswered):
            return Change(code=f"{what} no answer")
        return Change() if done.done else Change(code=f"{what} {done.code}"[:20])

    def _changed(self, method: str, path: str, body: Mapping[str, object]) -> Answer:
        return self._graph.change(Request(method, path, self._headers, as_json(body)))

    def _change_of(self, answer: Answer, *, is_password_alone: bool) -> Change:
        """Raises Unanswered when the answer does not tell what was done."""
        error = answer.body.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        code = code if isinstance(code, str) else ""
        cause = cause_of_change(
            answer.status,
            code,
            comes_again=answer.comes_again,
            is_password_alone=is_password_alone,
        )
        if cause is None:
            raise Unanswered(self.controller)
        return Change(cause, code="" if cause == "" else code_for_log(code, str(answer.status)))

    def _user(self, anchor: str) -> Mapping[str, Any] | None:
        found = self._graph.find(f"/users/{anchor}?$select={_SELECTED}", self._headers)
        if found is not None and str(found.get("id")).lower() != anchor:
            raise Unreachable("configuration", "another person")
        return found
