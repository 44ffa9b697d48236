"""A signed-in connection serves job after job, for a short while and while nothing is wrong."""

import gc
import os
from pathlib import Path

import pytest

from tests.lab.certificates import Authority
from tests.lab.scripted_ldap import ScriptedLdap
from tests.services.ports import wait_until
from tests.writeback.connectors.conftest import MakeServer
from tests.writeback.connectors.domain import ADA, BASE, NEW, Clock, Domain, MakeDirectory
from writeback.connectors.active_directory import ActiveDirectory
from writeback.connectors.base import Unreachable
from writeback.connectors.idle import LASTS, WAITS
from writeback.connectors.ldap_tls import READ_ANEW


def job(domain: ActiveDirectory) -> None:
    with domain.connect() as connection:
        connection.rules(None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(scripted: MakeServer) -> ScriptedLdap:
    return scripted(Domain())


@pytest.fixture
def domain(server: ScriptedLdap, directory: MakeDirectory, clock: Clock) -> ActiveDirectory:
    """One directory with this one server."""
    return directory(server, clock=clock)


def test_one_job_after_the_other_uses_one_connection(
    server: ScriptedLdap, domain: ActiveDirectory, clock: Clock
) -> None:
    for _ in range(4):
        job(domain)
        clock.now += WAITS - 0.1

    assert len(server.of("bindRequest")) == 1


def test_two_jobs_at_once_have_a_connection_each_and_leave_both(
    server: ScriptedLdap, domain: ActiveDirectory, clock: Clock
) -> None:
    for _ in range(2):
        with domain.connect(), domain.connect():
            pass

    assert len(server.of("bindRequest")) == 2


def test_one_that_waited_too_long_says_goodbye_and_another_begins(
    server: ScriptedLdap, domain: ActiveDirectory, clock: Clock
) -> None:
    job(domain)
    clock.now += WAITS
    job(domain)

    assert len(server.of("bindRequest")) == 2
    assert len(server.of("unbindRequest")) == 1


def test_none_is_used_for_longer_than_a_minute(
    server: ScriptedLdap, domain: ActiveDirectory, clock: Clock
) -> None:
    """A password of the account that was changed, or a right that it lost, holds by then."""
    began = clock.now
    while clock.now - began <= LASTS:
        job(domain)
        clock.now += WAITS / 3

    assert len(server.of("bindRequest")) == 2


def test_one_that_the_server_ended_is_not_used(
    server: ScriptedLdap, domain: ActiveDirectory, clock: Clock
) -> None:
    job(domain)
    server.hang_up()
    job(domain)

    assert len(server.of("bindRequest")) == 2


@pytest.mark.parametrize("trouble", [Unreachable("unreachable"), KeyError("anything")])
def test_one_on_which_something_went_wrong_is_not_used_again(
    trouble: Exception, server: ScriptedLdap, domain: ActiveDirectory
) -> None:
    with pytest.raises(type(trouble)), domain.connect():
        raise trouble
    job(domain)

    assert len(server.of("bindRequest")) == 2


def test_of_a_server_that_did_not_answer_none_is_used_again(
    server: ScriptedLdap, domain: ActiveDirectory
) -> None:
    with domain.connect(), domain.connect():
        pass
    with pytest.raises(Unreachable), domain.connect():
        raise Unreachable("unreachable")
    job(domain)

    assert len(server.of("bindRequest")) == 3


def test_a_sign_in_of_a_person_has_a_connection_of_its_own(
    server: ScriptedLdap, domain: ActiveDirectory, clock: Clock
) -> None:
    """Who is signed in on a connection decides what may be done on it."""
    job(domain)
    assert domain.sign_in(ADA, NEW) == "right"
    job(domain)

    assert [asked.details["name"] for asked in server.of("bindRequest")] == ["svc@corp", ADA.place]
    assert {asked.base for asked in server.of("searchRequest")} == {"", BASE}


def test_what_waits_is_closed_with_its_directory(
    server: ScriptedLdap, directory: MakeDirectory, clock: Clock
) -> None:
    own = directory(server, clock=clock)
    job(own)
    del own
    gc.collect()

    wait_until(lambda: len(server.of("unbindRequest")) == 1, "the goodbye")


def test_an_authority_that_was_replaced_counts_at_the_next_connection(
    scripted: MakeServer, directory: MakeDirectory, clock: Clock, ca_file: Path, tmp_path: Path
) -> None:
    """And the same one is not read again for each."""
    own = tmp_path / "authorities.pem"
    own.write_bytes(ca_file.read_bytes())
    server = scripted(Domain())
    domain = directory(server, clock=clock, ca_file=own)
    job(domain)
    stamp = own.stat()
    own.write_bytes(bytes(stamp.st_size))
    os.utime(own, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    clock.now += WAITS
    job(domain)
    clock.now += READ_ANEW
    with pytest.raises(Unreachable) as unread:
        job(domain)
    own.write_bytes(Authority.create(tmp_path).file.read_bytes())
    with pytest.raises(Unreachable) as foreign:
        job(domain)
    own.unlink()
    with pytest.raises(Unreachable) as missing:
        job(domain)

    troubles = [caught.value.trouble for caught in (unread, foreign, missing)]
    assert troubles == ["configuration", "untrusted", "configuration"]
