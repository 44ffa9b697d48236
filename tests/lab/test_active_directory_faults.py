"""What becomes of a change when the controller or the way to it fails."""

import time
from pathlib import Path

import pytest

from tests.lab.administrator import Administrator
from tests.lab.certificates import Authority
from tests.lab.fixtures import MakeDirectory, MakeProxy
from tests.lab.samba_dc import SambaDc
from tests.lab.seeds import ABLE, FIRST_PASSWORD, SERVICE, Seed
from tests.lab.tcp_proxy import Interception
from tests.services.ports import free_port, wait_until
from writeback.connectors.active_directory import ActiveDirectory
from writeback.connectors.base import Entry, Unanswered, Unreachable
from writeback.connectors.breaker import RESTS_FOR
from writeback.connectors.ldap import Server

NEW = "Velvet-Kettle-93"
QUICK = {"connect_timeout": 2.0, "receive_timeout": 2.0}
PATIENT = {"connect_timeout": 30.0, "receive_timeout": 30.0}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def person(administrator: Administrator) -> Seed:
    return administrator.add_person()


@pytest.fixture
def entry(person: Seed, administrator: Administrator, active_directory: MakeDirectory) -> Entry:
    with active_directory().connect() as connection:
        found = connection.find(administrator.anchor(person))
    assert found is not None
    return found


def version(directory: ActiveDirectory, entry: Entry) -> int:
    with directory.connect() as connection:
        return connection.witness(entry).version


def bytes_of(password: str) -> list[bytes]:
    return [password.encode(), password.encode("utf-16-le")]


def test_no_byte_of_a_password_goes_to_a_server_that_is_not_believed(
    dc: SambaDc,
    entry: Entry,
    administrator: Administrator,
    person: Seed,
    proxies: MakeProxy,
    active_directory: MakeDirectory,
    tmp_path: Path,
) -> None:
    stranger = Authority.create(tmp_path / "stranger")
    shown = {
        "good": dc.authority.issue(tmp_path / "good", ["127.0.0.1"]),
        "unknown": stranger.issue(tmp_path / "unknown", ["127.0.0.1"]),
        "name": dc.authority.issue(tmp_path / "name", ["dc9.example.test"]),
        "expired": dc.authority.issue(tmp_path / "expired", ["127.0.0.1"], expired=True),
    }
    passed = {}
    for kind, certificate in shown.items():
        proxy = proxies(interception=Interception(certificate, dc.ca_file, dc.address))
        directory = active_directory(proxy)
        if kind == "good":
            # Here the proxy does see what passes, so that seeing nothing below means something.
            with directory.connect() as connection:
                connection.set_password(entry, NEW, unlock=True, must_change=False)
        else:
            with pytest.raises(Unreachable, match="untrusted"), directory.connect():
                pass
            with pytest.raises(Unreachable, match="untrusted"):
                directory.sign_in(entry, NEW)
        wait_until(lambda proxy=proxy: proxy.connections > 0, "the connection", 5)  # type: ignore[misc]
        passed[kind] = bytes(proxy.requests)

    assert all(
        any(piece in passed["good"] for piece in bytes_of(one)) for one in (NEW, SERVICE.password)
    )
    assert [passed[kind] for kind in ("unknown", "name", "expired")] == [b"", b"", b""]
    assert administrator.sign_in(person.login, NEW) == "ok"


def test_a_plain_port_is_used_for_starttls_alone(
    dc: SambaDc, entry: Entry, proxies: MakeProxy, active_directory: MakeDirectory
) -> None:
    proxy = proxies((dc.address, dc.ports["ldap"]))

    with active_directory(proxy, transport={"starttls": True}).connect() as connection:
        assert connection.set_password(entry, NEW, unlock=True, must_change=False).done
    with pytest.raises(Unreachable), active_directory(proxy, transport=QUICK).connect():
        pass

    secrets = [piece for one in (NEW, SERVICE.password) for piece in bytes_of(one)]
    assert not any(secret in proxy.requests for secret in secrets)
    assert b"1.3.6.1.4.1.1466.20037" in proxy.requests


def test_a_hung_controller_costs_one_wait_and_then_rests(
    dc: SambaDc, proxies: MakeProxy, active_directory: MakeDirectory
) -> None:
    hung, works = proxies(), proxies()
    clock = Clock()
    directory = active_directory(hung, works, transport=QUICK, clock=clock)
    with hung.stalled():
        begun = time.monotonic()
        with directory.connect() as connection:
            assert connection.controller == f"127.0.0.1:{works.port}"
        first = time.monotonic() - begun
        tried = hung.connections
        with directory.connect() as connection:
            assert connection.controller == f"127.0.0.1:{works.port}"

        assert QUICK["connect_timeout"] <= first < 5 * QUICK["connect_timeout"]
        assert (tried, hung.connections) == (1, 1)
        clock.now += RESTS_FOR
        with directory.connect() as connection:
            assert connection.controller == f"127.0.0.1:{works.port}"
        assert hung.connections == 2
    clock.now += RESTS_FOR
    with directory.connect() as connection:
        assert connection.controller == f"127.0.0.1:{hung.port}"


def test_a_stopped_process_is_waited_for_no_longer_than_it_may_take(
    dc: SambaDc, entry: Entry, active_directory: MakeDirectory
) -> None:
    directory = active_directory(transport=QUICK)

    with dc.hung():
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="unreachable"), directory.connect():
            pass
        with pytest.raises(Unreachable, match="unreachable"):
            directory.sign_in(entry, NEW)
        assert time.monotonic() - begun < 5 * QUICK["connect_timeout"]

    with directory.connect() as connection:
        assert connection.find(entry.anchor) is not None


def test_a_reset_that_timed_out_may_be_done_later_and_the_witness_tells(
    dc: SambaDc,
    entry: Entry,
    person: Seed,
    administrator: Administrator,
    active_directory: MakeDirectory,
) -> None:
    directory, hasty = active_directory(), active_directory(transport=QUICK)
    before = version(directory, entry)

    with pytest.raises(Unanswered) as lost, hasty.connect() as connection, dc.hung():
        connection.set_password(entry, NEW, unlock=True, must_change=False)
    wait_until(lambda: version(directory, entry) > before, "the change", 10)

    assert lost.value.controller == connection.controller
    assert version(directory, entry) == before + 1
    assert directory.sign_in(entry, NEW, lost.value.controller) == "right"
    assert administrator.sign_in(person.login, NEW) == "ok"


@pytest.mark.parametrize("after", [0, 20])
def test_an_answer_that_is_cut_off_leaves_a_change_that_was_done_unanswered(
    after: int,
    entry: Entry,
    proxies: MakeProxy,
    active_directory: MakeDirectory,
) -> None:
    proxy = proxies()
    directory = active_directory(proxy)
    before = version(directory, entry)

    with directory.connect() as connection:
        proxy.cut_answers(after)
        with pytest.raises(Unanswered) as lost:
            connection.set_password(entry, NEW, unlock=True, must_change=False)
    proxy.release()

    with directory.connect(lost.value.controller) as connection:
        assert connection.witness(entry).version == before + 1
    assert directory.sign_in(entry, NEW, lost.value.controller) == "right"


def test_a_request_that_never_arrived_leaves_everything_as_it_was(
    entry: Entry, proxies: MakeProxy, active_directory: MakeDirectory
) -> None:
    proxy = proxies()
    directory, hasty = active_directory(), active_directory(proxy, transport=QUICK)
    before = version(directory, entry)

    with hasty.connect() as connection:
        proxy.stall_requests()
        with pytest.raises(Unanswered):
            connection.set_password(entry, NEW, unlock=True, must_change=False)
    proxy.cut()
    proxy.release()

    assert version(directory, entry) == before
    assert directory.sign_in(entry, FIRST_PASSWORD) == "right"


def test_an_answer_that_comes_late_but_in_time_is_an_answer(
    entry: Entry, proxies: MakeProxy, active_directory: MakeDirectory
) -> None:
    proxy = proxies()

    with active_directory(proxy).connect() as connection:
        proxy.delay_answers(0.3)
        begun = time.monotonic()
        assert connection.set_password(entry, NEW, unlock=True, must_change=False).done
        assert time.monotonic() - begun >= 0.3


def test_an_answer_to_a_question_that_is_lost_changed_nothing(
    entry: Entry, proxies: MakeProxy, active_directory: MakeDirectory
) -> None:
    proxy = proxies()

    with active_directory(proxy).connect() as connection:
        proxy.cut_answers()
        with pytest.raises(Unreachable, match="unreachable"):
            connection.find(entry.anchor)


def test_a_controller_that_dies_in_the_middle_leaves_a_change_unanswered(
    dc: SambaDc,
    entry: Entry,
    person: Seed,
    proxies: MakeProxy,
    active_directory: MakeDirectory,
) -> None:
    proxy = proxies()
    directory = active_directory(proxy)

    with directory.connect() as connection:
        proxy.stall_requests()
        with dc.dead():
            with pytest.raises(Unanswered):
                connection.set_password(entry, NEW, unlock=True, must_change=False)
            with pytest.raises(Unreachable, match="unreachable"), directory.connect():
                pass
    proxy.release()

    assert directory.sign_in(entry, FIRST_PASSWORD) == "right"


def test_a_dead_controller_is_passed_over_at_once(
    active_directory: MakeDirectory, dc: SambaDc
) -> None:
    dead = Server("127.0.0.1", free_port())
    controllers = (dead, Server(dc.address, dc.port))

    begun = time.monotonic()
    with active_directory(controllers=controllers, transport=PATIENT).connect() as connection:
        assert connection.controller != dead.name

    assert time.monotonic() - begun < PATIENT["connect_timeout"] / 2


def test_a_wrong_password_of_the_account_is_told_as_that(
    proxies: MakeProxy, active_directory: MakeDirectory
) -> None:
    first, second = proxies(), proxies()
    locked_out_by_nobody = Seed(ABLE.name, "Staff", "Not-Her-Password-1")
    directory = active_directory(first, second, account=locked_out_by_nobody)

    with pytest.raises(Unreachable, match="account: wrong"), directory.connect():
        pass

    assert (first.connections, second.connections) == (1, 0)
