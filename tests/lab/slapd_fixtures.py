"""Fixtures of a real OpenLDAP; tests know them by the names without `_fixture`."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.lab.certificates import Authority
from tests.lab.slapd import COUNT, Slapd
from tests.services.ports import NotReady

_numbers = count()


@pytest.fixture(name="slapd_authority", scope="session")
def slapd_authority_fixture(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("slapd-authority") / "ca")


@pytest.fixture(name="slapd", scope="session")
def slapd_fixture(
    tmp_path_factory: pytest.TempPathFactory, slapd_authority: Authority
) -> Iterator[Slapd]:
    """One server for all tests, which leave it running and each other's people alone."""
    yield from _running(Slapd(tmp_path_factory.mktemp("slapd") / "home", slapd_authority))


@pytest.fixture(name="own_slapd")
def own_slapd_fixture(
    tmp_path_factory: pytest.TempPathFactory, slapd_authority: Authority
) -> Iterator[Slapd]:
    """A server of the test's own, to be stopped, paused and killed."""
    yield from _running(Slapd(tmp_path_factory.mktemp("own-slapd") / "home", slapd_authority))


@pytest.fixture(name="person")
def person_fixture() -> str:
    """The login of somebody whom no other test touches."""
    number = next(_numbers)
    if number >= COUNT:
        raise NotReady("more tests than people: raise COUNT")
    return f"user{number:03d}"


def _running(server: Slapd) -> Iterator[Slapd]:
    server.prepare()
    server.start()
    try:
        yield server
    finally:
        server.stop()
