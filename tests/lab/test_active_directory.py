"""What the connector does in a real domain, and that it is done there."""

from datetime import timedelta

import pytest

from tests.lab.administrator import Administrator
from tests.lab.fixtures import MakeDirectory
from tests.lab.samba_dc import SambaDc
from tests.lab.seeds import (
    ABLE,
    BASE,
    CANARY,
    DISABLED,
    EXPIRED,
    MANAGER,
    MUST_CHANGE,
    OUTSIDE,
    POWERLESS,
    PROTECTED,
    RESETS_ONLY,
    SEEDS,
    SERVICE,
    Seed,
)
from writeback.connectors.active_directory_connection import ActiveDirectoryConnection
from writeback.connectors.base import Change, DirectoryRules, Entry, Rights

NEW = "Velvet-Kettle-93"


def found(connection: ActiveDirectoryConnection, administrator: Administrator, seed: Seed) -> Entry:
    entry = connection.find(administrator.anchor(seed))
    assert entry is not None
    return entry


def test_after_a_reset_the_new_password_holds_and_the_old_one_does_not(
    dc: SambaDc, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()
    directory = active_directory()

    with directory.connect() as connection:
        entry = found(connection, administrator, person)
        before = connection.witness(entry)
        change = connection.set_password(entry, NEW, unlock=False, must_change=False)
        after = connection.witness(entry)

    assert change == Change()
    assert (after.version, after.controller) == (before.version + 1, before.controller)
    assert administrator.sign_in(person.login, NEW) == "ok"
    assert dc.kinit(person.login, NEW).granted
    # Active Directory takes the password of before for an hour at a bind, but not for a ticket.
    assert not dc.kinit(person.login, person.password).granted
    assert directory.sign_in(entry, NEW) == "right"
    assert directory.sign_in(entry, "Something-Else-1") == "wrong"


def test_a_person_s_own_change_needs_the_old_password(
    dc: SambaDc, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()

    with active_directory().connect() as connection:
        entry = found(connection, administrator, person)
        wrong = connection.change_password(entry, "Not-The-Old-One-1", NEW)
        right = connection.change_password(entry, person.password, NEW)
        again = connection.change_password(entry, NEW, person.password)

    assert wrong == Change("wrong_old_password", code="00000056")
    assert right == Change()
    assert again == Change("password_rules", code="0000052D")  # it is in the history
    assert dc.kinit(person.login, NEW).granted


def test_a_reset_leaves_a_lock_and_an_unlock_ends_it(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()
    administrator.lock(person)
    directory = active_directory()

    with directory.connect() as connection:
        entry = found(connection, administrator, person)
        assert entry.locked
        assert connection.set_password(entry, NEW, unlock=False, must_change=False) == Change()
        assert directory.sign_in(entry, NEW) == "locked"
        assert connection.unlock(entry) == Change(unlocked=True)
        assert not found(connection, administrator, person).locked

    assert directory.sign_in(entry, NEW) == "right"


def test_a_reset_and_its_unlock_are_one(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()
    administrator.lock(person)

    with active_directory().connect() as connection:
        entry = found(connection, administrator, person)
        change = connection.set_password(entry, NEW, unlock=True, must_change=False)
        assert not found(connection, administrator, person).locked
        # There is no harm in unlocking what is not locked.
        assert connection.unlock(entry) == Change(unlocked=True)

    assert change == Change(unlocked=True)
    assert administrator.sign_in(person.login, NEW) == "ok"


def test_a_temporary_password_is_to_be_changed_at_the_next_sign_in(
    dc: SambaDc, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()
    directory = active_directory()

    with directory.connect() as connection:
        entry = found(connection, administrator, person)
        assert not entry.must_change
        change = connection.set_password(entry, NEW, unlock=False, must_change=True)
        later = found(connection, administrator, person)
        version = connection.witness(entry).version

        assert (change, later.must_change, later.changed_at) == (Change(), True, None)
        assert directory.sign_in(entry, NEW) == "must_change"
        assert not dc.kinit(person.login, NEW).granted
        # The version of the password is told although there is no time of it.
        assert connection.set_password(entry, f"{NEW}4", unlock=False, must_change=False).done
        assert connection.witness(entry).version == version + 1

    assert directory.sign_in(entry, f"{NEW}4") == "right"


@pytest.mark.parametrize("seed", [ABLE, DISABLED, MUST_CHANGE, PROTECTED, OUTSIDE, EXPIRED])
def test_a_person_is_seen_as_the_directory_has_them(
    seed: Seed, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    with active_directory().connect() as connection:
        entry = found(connection, administrator, seed)

    assert (entry.place, entry.login) == (administrator.place(seed), seed.login)
    assert entry.enabled == ("disabled" not in seed.marks)
    assert entry.must_change == ("must_change" in seed.marks)
    assert entry.protected == ("protected" in seed.marks)
    assert (entry.account_ends is not None) == ("account_expired" in seed.marks)
    assert (entry.changed_at is None) == ("must_change" in seed.marks)
    if entry.changed_at is not None:
        assert entry.password_ends == entry.changed_at + timedelta(days=42)


@pytest.mark.parametrize(
    ("mark", "answer"),
    [("disabled", "disabled"), ("account_expired", "account_expired")],
)
def test_a_reset_of_one_who_may_not_sign_in_is_done_and_proved_all_the_same(
    mark: str, answer: str, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person(mark)  # type: ignore[arg-type]
    directory = active_directory()

    with directory.connect() as connection:
        entry = found(connection, administrator, person)
        assert connection.set_password(entry, NEW, unlock=True, must_change=False).done

    assert directory.sign_in(entry, NEW) == answer
    assert directory.sign_in(entry, "Something-Else-1") == "wrong"


def test_whom_the_account_may_not_touch_stays_as_they_are(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person(unit="Outside")
    before = administrator.last_set(person)

    with active_directory().connect() as connection:
        entry = found(connection, administrator, person)
        reset = connection.set_password(entry, NEW, unlock=True, must_change=True)
        unlocked = connection.unlock(entry)
        rights = connection.rights(entry)

    assert (reset.cause, unlocked.cause) == ("no_right_to_reset", "no_right_to_unlock")
    assert rights == Rights(reset=False, unlock=False, must_change=False)
    assert administrator.last_set(person) == before
    assert administrator.sign_in(person.login, person.password) == "ok"


def test_an_account_without_rights_is_told_so_before_and_after(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()

    with active_directory(account=POWERLESS).connect() as connection:
        entry = found(connection, administrator, person)
        assert connection.rights(entry) == Rights(reset=False, unlock=False, must_change=False)
        change = connection.set_password(entry, NEW, unlock=True, must_change=False)
    with active_directory().connect() as connection:
        assert connection.rights(entry) == Rights(reset=True, unlock=True, must_change=True)

    assert change.cause == "no_right_to_reset"
    assert administrator.sign_in(person.login, person.password) == "ok"


def test_an_account_that_may_only_reset_says_that_the_lock_is_still_there(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    locked, free = administrator.add_person(), administrator.add_person()
    administrator.lock(locked)

    with active_directory(account=RESETS_ONLY).connect() as connection:
        entry, other = (found(connection, administrator, one) for one in (locked, free))
        assert connection.rights(entry) == Rights(reset=True, unlock=False, must_change=False)
        partly = connection.set_password(entry, NEW, unlock=True, must_change=False)
        wholly = connection.set_password(other, NEW, unlock=True, must_change=False)
        refused = connection.set_password(other, f"{NEW}4", unlock=True, must_change=True)
        unlocked = connection.unlock(entry)

    assert partly == Change(unlocked=False)
    assert wholly == Change(unlocked=None)
    assert (refused.cause, unlocked.cause) == ("no_right_to_reset", "no_right_to_unlock")
    assert administrator.sign_in(locked.login, NEW) == "775"
    assert administrator.sign_in(free.login, NEW) == "ok"


@pytest.mark.parametrize("new", ["Short-1", "onlysmallletters"])
def test_what_the_domain_s_rules_refuse_is_told_as_that(
    new: str, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()

    with active_directory().connect() as connection:
        entry = found(connection, administrator, person)
        reset = connection.set_password(entry, new, unlock=True, must_change=False)
        changed = connection.change_password(entry, person.password, new)

    assert (reset.cause, reset.unlocked, reset.code) == ("password_rules", False, "0000052D")
    assert changed == Change("password_rules", code="0000052D")
    assert administrator.sign_in(person.login, person.password) == "ok"


def test_a_controller_that_holds_history_against_resets_refuses_an_earlier_password(
    dc: SambaDc, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()

    with active_directory().connect() as connection:
        entry = found(connection, administrator, person)

        def reset(new: str) -> str:
            return connection.set_password(entry, new, unlock=False, must_change=False).cause

        assert [reset(new) for new in (NEW, f"{NEW}4", NEW)] == ["", "", ""]
        with dc.strict():
            assert [reset(new) for new in (NEW, f"{NEW}4", NEW)] == ["", "", "password_rules"]
            assert reset(f"X-{person.name}-9") == "password_rules"

    assert administrator.sign_in(person.login, f"{NEW}4") == "ok"


def test_the_domain_s_rules_are_told(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    expected = DirectoryRules(
        min_length=10,
        history=5,
        history_on_reset=False,  # Samba does not know the control for it
        complexity=True,
        min_age=timedelta(0),
        max_age=timedelta(days=42),
        lockout_threshold=3,
        lockout_duration=timedelta(minutes=30),
    )

    with active_directory().connect() as connection:
        assert connection.rules(None) == expected
        assert connection.rules(found(connection, administrator, CANARY)) == expected


def test_a_policy_of_a_person_s_own_comes_before_the_domain_s(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()
    place = administrator.add_policy("longer", person)
    try:
        with active_directory().connect() as connection:
            entry = found(connection, administrator, person)
            rules = connection.rules(entry)
            refused = connection.set_password(entry, NEW[:15], unlock=False, must_change=False)
            taken = connection.set_password(entry, NEW, unlock=False, must_change=False)
    finally:
        administrator.remove(place)

    assert rules.fine_grained
    # The domain's passwords are of 10 characters at least; only its own policy refuses 15.
    assert (refused.cause, taken.cause) == ("password_rules", "")
    # An account without a right to the policy's own entry learns that there is one.
    assert rules.min_length in {16, None}


def test_everybody_is_listed_a_page_at_a_time(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    with active_directory().connect() as connection:
        people = {person.entry.login: person for person in connection.people(page=4)}
        assert len(people) == len(list(connection.people()))

    assert {seed.login for seed in SEEDS} <= set(people)
    able = people[ABLE.login]
    assert (able.mail, able.manager) == (ABLE.mail, administrator.place(MANAGER))
    assert (people[CANARY.login].mail, people[CANARY.login].manager) == ("", "")
    assert able.entry.anchor == administrator.anchor(ABLE)


@pytest.mark.parametrize(
    "anchor",
    [
        "",
        "*",
        "\\00",
        "CN=O\\,Brien+x=#1",
        "00000000-0000-0000-0000-000000000000",
        "{guid}*",
        "{guid})(objectClass=*",
        "{{{guid}}}",
        "{guid}\0",
        "{place}",
        "{login}",
    ],
)
def test_only_an_exact_id_of_somebody_finds_them(
    anchor: str, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    guid = administrator.anchor(ABLE)
    text = anchor.format(guid=guid, place=administrator.place(ABLE), login=ABLE.login)

    with active_directory().connect() as connection:
        assert connection.find(text) is None
        assert connection.find(guid.upper()) == connection.find(guid)
        # A group has such an id too, and is nobody.
        assert connection.find(administrator.anchor(Seed("Domain Users"))) is None


@pytest.mark.parametrize("name", ["O,Brien+x=#1", ' "q" <x>;\\ ', "*)(cn=*", "Zoë 😀"])
def test_a_name_full_of_signs_is_reached_by_its_id(
    name: str, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person(name=name)

    with active_directory().connect() as connection:
        entry = found(connection, administrator, person)
        assert connection.set_password(entry, NEW, unlock=True, must_change=False).done
        assert connection.witness(entry).version > 1
        assert connection.rights(entry).reset

    assert administrator.sign_in(person.login, NEW) == "ok"
    assert active_directory().sign_in(entry, NEW) == "right"


def test_somebody_who_is_gone_is_told_as_that(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()

    with active_directory().connect() as connection:
        entry = found(connection, administrator, person)
        administrator.remove(entry.place)
        assert connection.find(entry.anchor) is None
        reset = connection.set_password(entry, NEW, unlock=True, must_change=False)

    assert reset.cause == "person_missing"


def test_only_below_the_base_is_anybody_found(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    with active_directory(base=f"OU=Staff,{BASE}").connect() as connection:
        assert connection.find(administrator.anchor(ABLE)) is not None
        assert connection.find(administrator.anchor(OUTSIDE)) is None
        logins = {person.entry.login for person in connection.people()}

    assert ABLE.login in logins
    assert not logins & {OUTSIDE.login, SERVICE.login}
