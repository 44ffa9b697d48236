"""Every kind of directory keeps the same promises, against a running one of its kind."""

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from tests.lab import slapd as openldap
from tests.lab.slapd import Slapd
from tests.services import graph, scim
from tests.services.graph import GraphDouble
from tests.services.ports import free_port
from tests.services.scim import ScimDouble
from writeback.connectors.base import Connection, Directory, Entry, Unreachable
from writeback.connectors.registry import CONNECTORS, NoSuchKind, make_directory
from writeback.connectors.settings import SettingWrong

HOSTILE = [
    "",
    " ",
    "*",
    "\x00",
    "\\00",
    ".",
    "..",
    "../me",
    "a/b",
    "a\\b",
    "%2e%2e",
    "x?x=y",
    "x#y",
    "x\r\nHost: y",
    "x)(uid=*",
    "uid=alice,ou=people,dc=example,dc=test",
    "alice' or '1'='1",
    "'; --",
    "😀",
    "\ud83d",
    "{0}",
    "a" * 10_000,
    "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0/x",
    "6ea91a8de32e41a1b7bdd2d185eed0e0",
    "{6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0}",
    "urn:uuid:6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0",
    "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0\n",
    "６ea91a8d-e32e-41a1-b7bd-d2d185eed0e0",
    str(uuid4()),
]


@dataclass
class Running:
    """A directory with alice in it. written: its settings; elsewhere: those of an address where
    nobody listens; touched: what every password that reaches it leaves a mark in."""

    kind: str
    written: dict[str, object]
    elsewhere: dict[str, object]
    secret: str
    anchor: str
    touched: Callable[[], object] = field(repr=False)

    def directory(self, **more: object) -> Directory:
        return make_directory(self.kind, {**self.written, **more}, lambda: self.secret)

    def unreachable(self) -> Directory:
        return self.directory(**self.elsewhere)


def run_openldap(request: pytest.FixtureRequest, stack: ExitStack) -> Running:
    server: Slapd = request.getfixturevalue("slapd")
    written: dict[str, object] = {
        "servers": [server.name],
        "base": openldap.PEOPLE,
        "account": openldap.WRITEBACK,
        "ca_file": str(server.authority.file),
    }
    return Running(
        "openldap",
        written,
        {"servers": [f"127.0.0.1:{free_port()}"]},
        openldap.ACCOUNT_PASSWORD,
        openldap.anchor("alice"),
        lambda: server.entry("alice"),
    )


def run_entra_id(request: pytest.FixtureRequest, stack: ExitStack) -> Running:
    double = GraphDouble()
    double.start()
    stack.callback(double.stop)
    nobody = f"http://127.0.0.1:{free_port()}"
    written: dict[str, object] = {
        "tenant": graph.TENANT,
        "client": graph.CLIENT,
        "graph": f"{double.url}/v1.0",
        "login": double.url,
        "signs_in": True,
        "is_test": True,
    }

    def touched() -> object:
        asked = [*double.of("POST"), *double.of("PATCH")]
        return [each for each in asked if b"grant_type=client_credentials" not in each.body]

    return Running(
        "entra_id",
        written,
        {"graph": f"{nobody}/v1.0", "login": nobody},
        graph.SECRET,
        graph.ALICE,
        touched,
    )


def run_scim(request: pytest.FixtureRequest, stack: ExitStack) -> Running:
    double = ScimDouble()
    double.start()
    stack.callback(double.stop)
    return Running(
        "scim",
        {"base": double.base, "is_test": True},
        {"base": f"http://127.0.0.1:{free_port()}/scim/v2"},
        scim.TOKEN,
        scim.ALICE,
        lambda: double.of("PATCH"),
    )


KINDS = {"openldap": run_openldap, "entra_id": run_entra_id, "scim": run_scim}
"""A new kind comes with a line here. Active Directory has a domain of its own to run."""


@pytest.fixture(params=sorted(KINDS))
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    with ExitStack() as stack:
        yield KINDS[request.param](request, stack)


def members(protocol: type) -> dict[str, list[str]]:
    """What a protocol asks for: names, and of those that are called their parameters."""
    return {
        name: list(inspect.signature(member).parameters) if inspect.isfunction(member) else []
        for name, member in vars(protocol).items()
        if not name.startswith("_")
    }


def assert_keeps(made: object, protocol: type) -> None:
    for name, parameters in members(protocol).items():
        assert hasattr(made, name), name
        if parameters:
            given = list(inspect.signature(getattr(type(made), name)).parameters)
            assert given == parameters, name


def find_alice(directory: Directory, running: Running) -> Entry:
    with directory.connect() as connection:
        entry = connection.find(running.anchor)
    assert entry is not None
    return entry


def test_it_is_what_a_directory_and_a_connection_are(running: Running) -> None:
    directory = running.directory()
    assert_keeps(directory, Directory)
    assert directory.kind == running.kind
    with directory.connect() as connection:
        assert_keeps(connection, Connection)
        assert connection.controller
        with directory.connect(connection.controller) as again:
            assert again.controller == connection.controller


def test_it_sets_a_password_and_its_witness_grows(running: Running) -> None:
    with running.directory().connect() as connection:
        entry = connection.find(running.anchor)
        assert entry is not None
        before = connection.witness(entry)
        new = f"New-{uuid4()}"
        done = connection.set_password(entry, new, unlock=False, must_change=False)
        after = connection.witness(entry)

    assert (done.cause, done.done, done.unlocked) == ("", True, None)
    assert (entry.anchor, entry.place != "", entry.login != "") == (running.anchor, True, True)
    assert after.controller == before.controller
    assert after.version > before.version >= 0
    assert before.changed_at.tzinfo is not None


def test_it_says_that_nothing_left_when_nobody_listens(running: Running) -> None:
    entry = find_alice(running.directory(), running)
    nobody = running.unreachable()
    with pytest.raises(Unreachable) as caught, nobody.connect():
        raise AssertionError("connected")
    assert caught.value.trouble == "unreachable"
    if running.kind != "scim":
        with pytest.raises(Unreachable) as caught:
            nobody.sign_in(entry, "a password")
        assert caught.value.trouble == "unreachable"
    with pytest.raises(Unreachable) as caught, running.directory().connect("another"):
        raise AssertionError("connected")
    assert caught.value.trouble == "configuration"


def test_it_finds_nobody_for_what_is_no_permanent_id(running: Running) -> None:
    with running.directory().connect() as connection:
        found = {anchor: connection.find(anchor) for anchor in HOSTILE}
        alice = connection.find(running.anchor)

    assert not any(found.values())
    assert alice is not None


@pytest.mark.parametrize("password", ["", "half of a pair \ud83d"])
def test_it_sends_nothing_that_is_no_password(running: Running, password: str) -> None:
    directory = running.directory()
    entry = find_alice(directory, running)
    before = running.touched()
    with directory.connect() as connection:
        reset = connection.set_password(entry, password, unlock=True, must_change=False)
        changes = [
            connection.change_password(entry, password, "New-Passw0rd-2"),
            connection.change_password(entry, "Start-Passw0rd-1", password),
        ]

    assert reset.cause == "password_rules"
    assert not any(done.done for done in changes)
    assert directory.sign_in(entry, password) == "wrong"
    assert running.unreachable().sign_in(entry, password) == "wrong"
    assert running.touched() == before


def test_it_shows_no_secret(running: Running) -> None:
    directory = running.directory()
    with directory.connect() as connection:
        shown = repr(directory) + repr(connection) + repr(getattr(directory, "settings", ""))
    wrong = make_directory(running.kind, running.written, lambda: "another-secret")
    with pytest.raises(Unreachable) as caught, wrong.connect():
        raise AssertionError("connected")

    assert caught.value.trouble == "account"
    for text in (shown, repr(wrong), str(caught.value), repr(caught.value)):
        assert running.secret not in text
        assert "another-secret" not in text


def test_it_takes_no_setting_that_it_does_not_know(running: Running) -> None:
    with pytest.raises(SettingWrong) as caught:
        running.directory(passwrod=running.secret)

    assert caught.value.name == "passwrod"
    assert running.secret not in str(caught.value)


def test_every_kind_is_tested() -> None:
    assert set(KINDS) | {"active_directory"} == set(CONNECTORS)


def test_a_kind_that_nobody_wrote_is_none() -> None:
    with pytest.raises(NoSuchKind):
        make_directory("novell", {}, str)


def test_what_a_kind_needs_is_imported_when_it_is_used() -> None:
    program = (
        "import sys, writeback.connectors.registry;"
        "print(sorted({'ldap3', 'httpx', 'django'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
