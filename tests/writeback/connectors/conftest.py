"""A domain controller that says what a test wants."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.lab.certificates import Authority, Certificate
from tests.lab.scripted_ldap import Asked, Said, ScriptedLdap

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
