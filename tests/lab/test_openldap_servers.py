"""OpenLDAP's servers and the connector's own account: hung, dead, not believed, set up wrongly."""

import threading
from pathlib import Path

import pytest

from tests.lab.certificates import Authority
from tests.lab.openldap import NEW, UNFINISHED, directory, reset, settings, working_on
from tests.lab.slapd import (
    ACCOUNT_PASSWORD,
    BASE,
    FIRST_PASSWORD,
    Slapd,
    anchor,
    place,
)
from tests.services.ports import free_port, wait_until
from writeback.connectors.base import (
    Change,
    Unanswered,
    Unreachable,
)
from writeback.connectors.ldap import Server
from writeback.connectors.openldap import from_settings
from writeback.connectors.settings import SettingWrong


def test_each_change_of_the_password_is_a_newer_version_and_a_failure_is_none(
    slapd: Slapd, person: str
) -> None:
    with working_on(slapd, person) as (connection, entry):
        versions = [connection.witness(entry).version]
        for number in range(4):
            assert reset(connection, entry, f"{NEW}{number}").done
            versions.append(connection.witness(entry).version)
        last = connection.witness(entry)
        assert not reset(connection, entry, "short").done

        assert versions == sorted(set(versions))
        assert versions[0] == 0
        assert connection.witness(entry) == last
        assert last.controller == connection.controller == slapd.name


def test_a_hung_server_is_waited_for_and_no_longer(own_slapd: Slapd) -> None:
    with working_on(own_slapd, "user001", receive_timeout=1.0) as (connection, entry):
        own_slapd.pause()
        with pytest.raises(Unreachable) as read:
            connection.witness(entry)
        with pytest.raises(Unreachable):
            connection.find(entry.anchor)
    quick = {"connect_timeout": 0.5, "receive_timeout": 0.5}
    with pytest.raises(Unreachable), directory(own_slapd, **quick).connect():
        raise AssertionError("connected")
    with pytest.raises(Unreachable):
        directory(own_slapd, **quick).sign_in(entry, FIRST_PASSWORD)
    own_slapd.resume()

    assert read.value.trouble == "unreachable"
    with working_on(own_slapd, "user001") as (connection, entry):
        assert reset(connection, entry) == Change()


def test_a_reset_that_a_hung_server_does_later_is_seen_in_the_version(own_slapd: Slapd) -> None:
    with working_on(own_slapd, "user001") as (connection, entry):
        before = connection.witness(entry)

    def ask() -> None:
        with directory(own_slapd, receive_timeout=1.0).connect() as connection:
            own_slapd.pause()
            reset(connection, entry)

    with pytest.raises(Unanswered) as caught:
        ask()
    own_slapd.resume()
    signs_in = directory(own_slapd)
    wait_until(lambda: signs_in.sign_in(entry, NEW) == "right", "the reset")
    with signs_in.connect(before.controller) as connection:
        after = connection.witness(entry)

    assert caught.value.controller == before.controller == after.controller
    assert after.version > before.version


def test_a_server_that_dies_over_a_reset_has_the_old_version_afterwards(own_slapd: Slapd) -> None:
    told: list[object] = [UNFINISHED]

    def ask() -> None:
        try:
            told[0] = reset(connection, entry)
        except Unanswered as error:
            told[0] = error

    with working_on(own_slapd, "user001", receive_timeout=30.0) as (connection, entry):
        before = connection.witness(entry)
        own_slapd.pause()
        asking = threading.Thread(target=ask)
        asking.start()
        wait_until(own_slapd.has_unread, "the request on its way")
        own_slapd.kill()
        asking.join(20)
    own_slapd.start()
    with directory(own_slapd).connect(before.controller) as connection:
        after = connection.witness(entry)

    assert isinstance(told[0], Unanswered)
    assert after == before
    assert directory(own_slapd).sign_in(entry, FIRST_PASSWORD) == "right"


def test_a_dead_server_costs_nothing_where_there_is_another(slapd: Slapd, person: str) -> None:
    dead = f"127.0.0.1:{free_port()}"
    with working_on(slapd, person, servers=[dead, slapd.name]) as (connection, entry):
        assert connection.controller == slapd.name
        assert reset(connection, entry) == Change()
    with pytest.raises(Unreachable) as caught, directory(slapd, servers=[dead]).connect():
        raise AssertionError("connected")
    assert caught.value.trouble == "unreachable"
    for unknown in (dead, "elsewhere"):
        with pytest.raises(Unreachable), directory(slapd).connect(unknown):
            raise AssertionError("connected")


def test_a_server_is_believed_by_its_certificate_alone(
    slapd: Slapd, person: str, tmp_path: Path
) -> None:
    stranger = Authority.create(tmp_path / "stranger")

    assert own_trouble(slapd, ca_file=str(stranger.file)) == "untrusted"
    assert own_trouble(slapd, ca_file="") == "untrusted"
    assert own_trouble(slapd, ca_file=str(tmp_path / "missing.pem")) == "configuration"
    with working_on(slapd, person) as (_, entry):
        assert entry.enabled


@pytest.mark.parametrize(
    ("names", "expired"), [(("elsewhere.example",), False), (("127.0.0.1",), True)]
)
def test_a_certificate_for_another_name_or_time_is_not_believed(
    slapd_authority: Authority, tmp_path: Path, names: tuple[str, ...], expired: bool
) -> None:
    server = Slapd(tmp_path / "home", slapd_authority, names, expired)
    server.prepare()
    server.start()
    try:
        assert own_trouble(server) == "untrusted"
    finally:
        server.stop()


def own_trouble(server: Slapd, **more: object) -> str:
    with pytest.raises(Unreachable) as caught, directory(server, **more).connect():
        raise AssertionError("connected")
    return caught.value.trouble


def test_the_plain_port_is_used_with_starttls_and_never_without(slapd: Slapd, person: str) -> None:
    plain = [f"127.0.0.1:{slapd.plain_port}"]
    with working_on(slapd, person, servers=plain, starttls=True) as (connection, entry):
        assert reset(connection, entry) == Change()

    assert own_trouble(slapd, servers=plain) in {"untrusted", "unreachable"}
    assert directory(slapd, servers=plain, starttls=True).sign_in(entry, NEW) == "right"


@pytest.mark.parametrize(
    ("password", "trouble"),
    [("a wrong one", "account"), ("", "account")],
)
def test_the_connector_s_own_account_can_be_refused(
    slapd: Slapd, password: str, trouble: str
) -> None:
    refused = from_settings(settings(slapd), lambda: password)
    with pytest.raises(Unreachable) as caught, refused.connect():
        raise AssertionError("connected")

    assert caught.value.trouble == trouble


def test_an_account_that_is_no_name_or_whose_password_is_away_is_a_mistake(slapd: Slapd) -> None:
    def missing() -> str:
        raise FileNotFoundError("a path that says something")

    with pytest.raises(Unreachable) as caught, from_settings(settings(slapd), missing).connect():
        raise AssertionError("connected")
    assert (caught.value.trouble, "path" in str(caught.value)) == ("configuration", False)
    assert own_trouble(slapd, account="not a name") == "configuration"


def test_an_account_that_has_to_change_its_password_can_do_nothing_else(
    slapd: Slapd, person: str
) -> None:
    with working_on(slapd, person) as (connection, entry):
        assert reset(connection, entry, ACCOUNT_PASSWORD, must_change=True).done

    assert own_trouble(slapd, account=place(person)) == "account"


def test_a_base_that_is_not_there_is_a_mistake_and_not_a_missing_person(slapd: Slapd) -> None:
    nowhere = directory(slapd, base=f"ou=nowhere,{BASE}")
    with pytest.raises(Unreachable) as caught, nowhere.connect() as connection:
        connection.find(anchor("alice"))

    assert caught.value.trouble == "configuration"


def test_no_empty_password_reaches_the_directory(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person) as (_, entry):
        assert directory(slapd).sign_in(entry, "") == "wrong"
        assert directory(slapd).sign_in(entry, "half \ud83d") == "wrong"
        assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "right"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("servers", []),
        ("servers", ["ldaps://dc1"]),
        ("servers", ["dc1:0"]),
        ("servers", ["dc1:99999"]),
        ("servers", ["dc1:x"]),
        ("servers", ["a b"]),
        ("base", ""),
        ("account", ""),
        ("protected_filter", "uid=x"),
        ("starttls", "no"),
        ("receive_timeout", 0),
        ("password", "in the wrong place"),
    ],
)
def test_a_wrong_setting_is_named(slapd: Slapd, name: str, value: object) -> None:
    with pytest.raises(SettingWrong) as caught:
        directory(slapd, **{name: value})

    assert caught.value.name == name


def test_servers_are_names_with_the_port_of_their_kind(slapd: Slapd) -> None:
    names = ["dc1.example", "dc2.example:1636", "[::1]", "[::1]:1636"]
    for starttls, port in ((False, 636), (True, 389)):
        made = directory(slapd, servers=names, starttls=starttls)._settings.servers
        assert made == (
            Server("dc1.example", port),
            Server("dc2.example", 1636),
            Server("::1", port),
            Server("::1", 1636),
        )
