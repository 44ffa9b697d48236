"""Directories that say what a test wants."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.lab.certificates import Authority, Certificate
from tests.lab.scripted_ldap import Asked, Said, ScriptedLdap
from tests.services.graph import GraphDouble
from tests.services.ports import free_port
from tests.writeback.connectors.domain import BASE, Clock, MakeDirectory
from writeback.connectors.active_directory import ActiveDirectory, Settings
from writeback.connectors.ldap import Server
from writeback.connectors.ldap_tls import Transport

MakeServer = Callable[..., ScriptedLdap]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certificate(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return authority.issue(tmp_path_factory.mktemp("certificate"), ["localhost", "127.0.0.1"])


@pytest.fixture
def scripted(certificate: Certificate) -> Iterator[MakeServer]:
    """`scripted(answer)` starts a server that gives each request to `answer`."""
    with ExitStack() as stack:

        def make(
            answer: Callable[[Asked], Said], shown: Certificate | None = certificate
        ) -> ScriptedLdap:
            server = ScriptedLdap(shown, answer)
            server.start()
            stack.callback(server.stop)
            return server

        yield make


@pytest.fixture
def ca_file(authority: Authority) -> Path:
    return authority.file


@pytest.fixture
def directory(ca_file: Path) -> MakeDirectory:
    """The connector over these servers; anything but a server is a port that nobody listens on."""

    def make(*servers: ScriptedLdap | None, clock: Clock | None = None, **more: Any) -> Any:
        controllers = tuple(
            Server("127.0.0.1", one.port if one else free_port()) for one in servers
        )
        own = more.pop("ca_file", ca_file)
        transport = Transport(own, receive_timeout=more.pop("receive_timeout", 10.0))
        settings = {"password": lambda: "Svc-1", "transport": transport, **more}
        return ActiveDirectory(
            Settings(controllers, BASE, "svc@corp", **settings), clock or Clock()
        )

    return make


@pytest.fixture
def graph() -> Iterator[GraphDouble]:
    double = GraphDouble()
    double.start()
    yield double
    double.stop()
