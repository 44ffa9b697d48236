"""The connector against a real OpenLDAP with its password policy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.lab.certificates import Authority
from tests.lab.slapd import (
    ACCOUNT_PASSWORD,
    BASE,
    DEFAULT_POLICY,
    FIRST_PASSWORD,
    MASTER,
    PEOPLE,
    READER,
    RESETTER,
    ROOT,
    ROOT_PASSWORD,
    WRITEBACK,
    Slapd,
    anchor,
    place,
)
from tests.lab.slapd_fixtures import (  # noqa: F401 - fixtures of this module
    own_slapd_fixture,
    person_fixture,
    slapd_authority_fixture,
    slapd_fixture,
)
from tests.services.ports import free_port, wait_until
from writeback.connectors.base import (
    Change,
    DirectoryRules,
    Entry,
    Rights,
    Unanswered,
    Unreachable,
)
from writeback.connectors.ldap import Changes, LdapConnection, Server, Transport, connected
from writeback.connectors.openldap import OpenLdap, from_settings
from writeback.connectors.openldap_answers import LOCKED_FOR_GOOD
from writeback.connectors.openldap_connection import OpenLdapConnection
from writeback.connectors.settings import SettingWrong

NEW, OTHER = "New-Passw0rd-2", "Other-Passw0rd-3"
UNFINISHED = "not waited for"


def settings(server: Slapd, **more: object) -> dict[str, object]:
    return {
        "servers": [server.name],
        "base": PEOPLE,
        "account": WRITEBACK,
        "default_policy": DEFAULT_POLICY,
        "ca_file": str(server.authority.file),
        **more,
    }


def directory(server: Slapd, **more: object) -> OpenLdap:
    return from_settings(settings(server, **more), lambda: ACCOUNT_PASSWORD)


@contextmanager
def working_on(
    server: Slapd, login: str, **more: object
) -> Iterator[tuple[OpenLdapConnection, Entry]]:
    """A connection, and this person as it has them."""
    with directory(server, **more).connect() as connection:
        yield connection, found(connection, login)


@contextmanager
def administrator(server: Slapd) -> Iterator[LdapConnection]:
    """The directory's own administrator, for what no connector does."""
    transport = Transport(ca_file=server.authority.file)
    with connected(Server("127.0.0.1", server.port), transport) as link:
        assert link.bind(ROOT, ROOT_PASSWORD).code == 0
        yield link


def found(connection: OpenLdapConnection, login: str) -> Entry:
    entry = connection.find(anchor(login))
    assert entry is not None
    return entry


def reset(connection: OpenLdapConnection, entry: Entry, new: str = NEW, **more: bool) -> Change:
    return connection.set_password(entry, new, **{"unlock": False, "must_change": False, **more})


def lock(server: Slapd, entry: Entry) -> None:
    """Three wrong passwords."""
    for _ in range(3):
        directory(server).sign_in(entry, "a wrong one")
    assert directory(server).sign_in(entry, FIRST_PASSWORD) == "locked"


def test_a_person_is_found_by_the_permanent_id_as_the_directory_has_them(
    slapd: Slapd, person: str
) -> None:
    with working_on(slapd, person) as (connection, entry):
        assert entry == Entry(anchor(person), place(person), person)
        assert connection.find(anchor(person).upper()) == entry
        reset(connection, entry)
        changed = found(connection, person)

    assert changed.changed_at is not None
    assert changed.password_ends == changed.changed_at + timedelta(seconds=3628800)


def test_a_reset_sets_the_password_and_the_old_one_is_gone(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person) as (connection, entry):
        done = reset(connection, entry)

    assert done == Change()
    assert directory(slapd).sign_in(entry, NEW) == "right"
    assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "wrong"


@pytest.mark.parametrize(
    "password",
    [
        "  spaces at both ends  ",
        "\"quotes\" 'and' \\back\\slashes",
        "Grüße-éé-ﬁ-Å-2026",
        "e\u0301 is not \u00e9 here",
        "👩‍🚀🔑🔑🔑🔑🔑🔑",
        "tab\tand\nline",
        "x" * 500,
    ],
)
def test_a_password_is_set_exactly_as_it_was_typed(
    slapd: Slapd, person: str, password: str
) -> None:
    with working_on(slapd, person) as (connection, entry):
        assert reset(connection, entry, password) == Change()
        assert directory(slapd).sign_in(entry, password) == "right"
        for near in (password.strip(), password + " ", password.replace("e\u0301", "\u00e9")):
            if near != password:
                assert directory(slapd).sign_in(entry, near) == "wrong"
        # A right one forgives the wrong ones, and the own change sends it by the other way.
        assert directory(slapd).sign_in(entry, password) == "right"
        assert connection.change_password(entry, password, password + "2") == Change()

    assert directory(slapd).sign_in(entry, password + "2") == "right"


@pytest.mark.parametrize(
    ("password", "code"), [("short", "19/6"), (FIRST_PASSWORD, "19/8"), ("", "not a password")]
)
def test_the_directory_s_rules_hold_for_resets(
    slapd: Slapd, person: str, password: str, code: str
) -> None:
    with working_on(slapd, person) as (connection, entry):
        refused = reset(connection, entry, password)
        assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "right"
        done = reset(connection, entry)

    assert (refused.cause, refused.code) == ("password_rules", code)
    assert done == Change()


def test_an_earlier_password_is_refused_in_a_reset_and_in_a_change(
    slapd: Slapd, person: str
) -> None:
    with working_on(slapd, person) as (connection, entry):
        assert reset(connection, entry).done
        assert reset(connection, entry, OTHER).done
        by_reset = reset(connection, entry)
        by_change = connection.change_password(entry, OTHER, NEW)

    assert (by_reset.cause, by_reset.code) == ("password_rules", "19/8")
    assert (by_change.cause, by_change.code) == ("password_rules", "19/8")
    assert directory(slapd).sign_in(entry, OTHER) == "right"


def test_a_person_s_own_change_needs_the_old_password(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person) as (connection, entry):
        wrong = connection.change_password(entry, "a wrong one", NEW)
        empty = connection.change_password(entry, "", NEW)
        none = connection.change_password(entry, FIRST_PASSWORD, "")
        short = connection.change_password(entry, FIRST_PASSWORD, "short")
        done = connection.change_password(entry, FIRST_PASSWORD, NEW)

    assert (wrong.cause, wrong.code) == ("wrong_old_password", "49")
    assert (empty.cause, none.cause) == ("wrong_old_password", "password_rules")
    assert (short.cause, short.code) == ("password_rules", "19/6")
    assert done == Change()
    assert directory(slapd).sign_in(entry, NEW) == "right"


def test_wrong_old_passwords_lock_like_wrong_sign_ins(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person) as (connection, entry):
        for _ in range(3):
            assert connection.change_password(entry, "a wrong one", NEW).cause
        locked = connection.change_password(entry, FIRST_PASSWORD, NEW)

    assert (locked.cause, locked.code) == ("refused", "49/1")
    assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "locked"


def test_an_expired_password_can_still_be_changed_by_who_knows_it(
    slapd: Slapd, person: str
) -> None:
    with working_on(slapd, person) as (connection, entry):
        reset(connection, entry)
        with administrator(slapd) as link:
            relax = ("1.3.6.1.4.1.4203.666.5.12", True, None)
            long_ago: Changes = {"pwdChangedTime": [("replace", [b"20200101000000Z"])]}
            assert link.modify(entry.place, long_ago, [relax]).code == 0
        assert directory(slapd).sign_in(entry, NEW) == "expired"
        wrong = connection.change_password(entry, "a wrong one", OTHER)
        done = connection.change_password(entry, NEW, OTHER)

    assert (wrong.cause, done) == ("wrong_old_password", Change())
    assert directory(slapd).sign_in(entry, OTHER) == "right"


def test_an_unlock_lifts_the_lock_and_forgets_the_failures(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person) as (connection, entry):
        lock(slapd, entry)
        assert found(connection, person).locked
        done = connection.unlock(entry)
        again = connection.unlock(entry)
        assert not found(connection, person).locked

    assert (done, again) == (Change(unlocked=True), Change(unlocked=True))
    assert directory(slapd).sign_in(entry, "a wrong one") == "wrong"
    assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "right"


@pytest.mark.parametrize("unlock", [True, False])
def test_a_reset_lifts_the_lock(slapd: Slapd, person: str, unlock: bool) -> None:
    with working_on(slapd, person) as (connection, entry):
        lock(slapd, entry)
        done = reset(connection, entry, unlock=unlock)

    assert done == Change(unlocked=True if unlock else None)
    assert directory(slapd).sign_in(entry, NEW) == "right"


def test_a_lock_ends_with_the_policy_s_time(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person) as (connection, entry):
        lock(slapd, entry)
        assert found(connection, person).locked
    late = OpenLdap(
        directory(slapd)._settings,
        lambda: ACCOUNT_PASSWORD,
        lambda: datetime(2099, 1, 1, tzinfo=UTC),
    )
    with late.connect() as connection:
        assert not found(connection, person).locked


def test_a_lock_that_an_administrator_set_stays(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person) as (connection, entry):
        with administrator(slapd) as link:
            for_good: Changes = {"pwdAccountLockedTime": [("replace", [LOCKED_FOR_GOOD.encode()])]}
            assert link.modify(entry.place, for_good).code == 0
        shut = found(connection, person)
        by_reset, by_unlock = reset(connection, shut, unlock=True), connection.unlock(shut)

    assert (shut.enabled, shut.locked) == (False, True)
    assert (by_reset.cause, by_unlock.cause) == ("refused", "refused")
    assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "locked"


def test_another_password_is_asked_for_where_that_is_wanted(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person) as (connection, entry):
        done = reset(connection, entry, must_change=True)
        assert found(connection, person).must_change
        assert directory(slapd).sign_in(entry, NEW) == "must_change"
        own = connection.change_password(entry, NEW, OTHER)
        after = found(connection, person)

    assert (done, own, after.must_change) == (Change(), Change(), False)
    assert directory(slapd).sign_in(entry, OTHER) == "right"


def test_what_a_policy_does_not_know_is_not_promised(slapd: Slapd) -> None:
    with working_on(slapd, "strict") as (connection, entry):
        refused = reset(connection, entry, NEW * 2, must_change=True)

        assert (refused.cause, refused.code) == ("unsupported", "pwdMustChange")
        assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "right"
        assert reset(connection, entry, NEW).code == "19/6"


def test_the_rules_are_those_of_the_person_s_own_policy(slapd: Slapd, person: str) -> None:
    everybody = DirectoryRules(
        min_length=10,
        history=5,
        history_on_reset=True,
        max_age=timedelta(days=42),
        lockout_threshold=3,
        lockout_duration=timedelta(minutes=30),
    )
    with working_on(slapd, person) as (connection, entry):
        strict = found(connection, "strict")
        assert connection.rules(entry) == connection.rules(None) == everybody
        assert connection.rules(strict) == replace(
            everybody, min_length=20, history=None, history_on_reset=False, fine_grained=True
        )
    with working_on(slapd, person, password_administrator=True) as (connection, entry):
        assert connection.rules(entry) == replace(everybody, history_on_reset=False)
    for unknown in ("", f"cn=nothing,{BASE}"):
        with working_on(slapd, person, default_policy=unknown) as (connection, entry):
            assert connection.rules(entry) == DirectoryRules()


def test_without_the_right_nothing_is_changed(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person, account=READER) as (connection, entry):
        lock(slapd, entry)
        refused = reset(connection, entry, unlock=True), connection.unlock(entry)
        assert connection.rights(entry) == Rights(reset=False, unlock=False, must_change=False)

    assert refused == (
        Change("no_right_to_reset", code="50"),
        Change("no_right_to_unlock", unlocked=False, code="50"),
    )
    assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "locked"


@pytest.mark.parametrize("account", [WRITEBACK, MASTER])
def test_rights_are_found_out_without_changing_anything(
    slapd: Slapd, person: str, account: str
) -> None:
    with working_on(slapd, person, account=account) as (connection, entry):
        for marked in (b"TRUE", b"FALSE"):
            with administrator(slapd) as link:
                link.modify(entry.place, {"pwdReset": [("replace", [marked])]})
            before = slapd.entry(person)
            rights = connection.rights(entry)
            assert rights == Rights(reset=True, unlock=True, must_change=True)
            assert slapd.entry(person) == before


def test_partly_is_told_where_the_account_may_only_reset(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person, account=RESETTER) as (connection, entry):
        lock(slapd, entry)
        done = reset(connection, entry, unlock=True, must_change=True)
        assert connection.rights(entry) == Rights(reset=True, unlock=False, must_change=False)

    # The reset lifted the lock by itself.
    assert done == Change(unlocked=True, code="pwdReset 50")
    assert directory(slapd).sign_in(entry, NEW) == "right"


def test_partly_is_told_where_the_server_hangs_after_the_reset(
    own_slapd: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_on(own_slapd, "user001", receive_timeout=1.0) as (connection, entry):
        modify = connection._link.modify

        def hang(*arguments: Any) -> Any:
            own_slapd.pause()
            return modify(*arguments)

        monkeypatch.setattr(connection._link, "modify", hang)
        done = reset(connection, entry, unlock=True, must_change=True)
    own_slapd.resume()

    assert done == Change(unlocked=False, code="pwdReset no answer")
    assert directory(own_slapd).sign_in(entry, NEW) in {"right", "must_change"}


def test_a_password_administrator_is_above_the_rules(slapd: Slapd, person: str) -> None:
    with working_on(slapd, person, account=MASTER) as (connection, entry):
        assert reset(connection, entry, FIRST_PASSWORD) == Change()

    assert directory(slapd).sign_in(entry, FIRST_PASSWORD) == "must_change"


def test_nobody_is_missing_without_being_told(slapd: Slapd, person: str) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    with working_on(slapd, person) as (connection, entry):
        assert connection.find(nobody) is None
        gone = replace(entry, anchor=nobody, place=f"uid=nobody,{PEOPLE}")
        with pytest.raises(Unreachable):
            connection.witness(gone)
        refused = reset(connection, gone), connection.unlock(gone)
        no_rights = connection.rights(gone)

    assert [done.cause for done in refused] == ["person_missing", "person_missing"]
    assert no_rights == Rights(reset=False, unlock=False, must_change=False)


@pytest.mark.parametrize(
    ("protected_filter", "protected"),
    [("", False), ("(uid=alice)", True), ("(|(uid=x)(ou=admins))", False)],
)
def test_who_is_left_alone_is_the_filter_s_matter(
    slapd: Slapd, protected_filter: str, protected: bool
) -> None:
    with working_on(slapd, "alice", protected_filter=protected_filter) as (_, entry):
        assert entry.protected is protected


def test_a_filter_that_is_none_stops_before_anybody_is_found(slapd: Slapd) -> None:
    wrong = directory(slapd, protected_filter="(uid)")
    with pytest.raises(Unreachable), wrong.connect() as connection:
        connection.find(anchor("alice"))


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
