"""The connector against a real OpenLDAP with its password policy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.lab.openldap import NEW, OTHER, administrator, directory, found, lock, reset, working_on
from tests.lab.slapd import (
    ACCOUNT_PASSWORD,
    BASE,
    FIRST_PASSWORD,
    MASTER,
    PEOPLE,
    READER,
    RESETTER,
    WRITEBACK,
    Slapd,
    anchor,
    place,
)
from writeback.connectors.base import (
    Change,
    DirectoryRules,
    Entry,
    Rights,
    Unreachable,
)
from writeback.connectors.ldap import Changes
from writeback.connectors.openldap import OpenLdap
from writeback.connectors.openldap_answers import LOCKED_FOR_GOOD


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
