"""The connector against a controller that says what no controller of the lab does: the history
control, other servers' codes, servers that are busy, and entries that may not be read."""

import pytest

from tests.lab.scripted_ldap import Said, ScriptedLdap
from tests.writeback.connectors.conftest import MakeServer
from tests.writeback.connectors.domain import (
    ADA,
    HINTS,
    LOCKED,
    NEW,
    NO_UNLOCK,
    OLD_HINTS,
    REFUSED_BIND,
    REJECTED,
    Clock,
    Domain,
    MakeDirectory,
)
from writeback.connectors.base import (
    Change,
    Connection,
    Directory,
    DirectoryRules,
    Entry,
    Unanswered,
    Unreachable,
)
from writeback.connectors.breaker import RESTS_FOR


def test_the_connector_is_a_directory_like_every_other(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    active_directory: Directory = directory(scripted(Domain()))

    with active_directory.connect() as connection:
        offered: Connection = connection
        assert offered.find("nobody") is None
    assert active_directory.kind == "active_directory"


def changes_of(server: ScriptedLdap) -> list[list[str]]:
    """Which attributes each modification was about."""
    return [
        [change["attribute"]["type"] for change in asked.details["changes"]]
        for asked in server.of("modifyRequest")
    ]


@pytest.mark.parametrize(
    ("controls", "sent"),
    [
        ([HINTS, OLD_HINTS], HINTS),
        ([OLD_HINTS], OLD_HINTS),
        ([OLD_HINTS, "1.2.3", HINTS], HINTS),
        (["1.2.3", f"{HINTS}0"], None),
        ([], None),
    ],
)
def test_history_is_asked_for_where_the_server_knows_how_and_never_on_the_off_chance(
    controls: list[str], sent: str | None, scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain(controls))
    active_directory = directory(server)

    for _ in range(2):
        with active_directory.connect() as connection:
            assert connection.set_password(ADA, NEW, unlock=False, must_change=False).done

    expected = ((sent, True, b"\x30\x03\x02\x01\x01"),) if sent else ()
    assert [asked.controls for asked in server.of("modifyRequest")] == [expected] * 2
    asked_of_itself = [asked for asked in server.of("searchRequest") if asked.base == ""]
    assert len(asked_of_itself) == 1


@pytest.mark.parametrize(
    ("said", "change"),
    [
        (REJECTED, Change("password_rules", code="0000052D")),
        (Said(19, "0000052D: AtrErr, #1:"), Change("password_rules", code="0000052D")),
        (Said(19, "00000056: AtrErr"), Change("wrong_old_password", code="00000056")),
        (Said(50, "00000005: SecErr"), Change("no_right_to_reset", code="00000005")),
        (Said(50, "00002098: SecErr"), Change("no_right_to_reset", code="00002098")),
        (Said(32, "0000208D: NameErr"), Change("person_missing", code="0000208D")),
        (Said(8, "00002028: LdapErr"), Change("needs_encryption", code="00002028")),
        (Said(51), Change("busy", code="51")),
        (Said(80, "what"), Change("refused", code="80")),
        (Said(12, as_extended=True), Change("unsupported", code="12")),
    ],
)  # fmt: skip
def test_a_refused_reset_is_told_by_its_codes(
    said: Said, change: Change, scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain(changes=[said]))

    with directory(server).connect() as connection:
        assert connection.set_password(ADA, NEW, unlock=False, must_change=False) == change
        # The same, when the server has changed its mind.
        assert connection.set_password(ADA, NEW, unlock=False, must_change=False) == Change()


def test_a_server_that_no_longer_knows_the_control_is_asked_again_what_it_knows(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    domain = Domain(changes=[Said(12, as_extended=True)])
    server = scripted(domain)

    with directory(server).connect() as connection:
        assert connection.rules(None) == DirectoryRules(min_length=10, history_on_reset=True)
        assert connection.set_password(ADA, NEW, unlock=True, must_change=False).unlocked is False
        domain.entries[""]["supportedControl"] = []
        assert connection.set_password(ADA, NEW, unlock=True, must_change=False).unlocked is True

    assert [bool(asked.controls) for asked in server.of("modifyRequest")] == [True, False]


@pytest.mark.parametrize(
    ("entry", "must_change", "said", "change", "sent"),
    [
        (LOCKED, False, [], Change(unlocked=True), [["unicodePwd", "lockoutTime"]]),
        (ADA, True, [], Change(unlocked=True), [["unicodePwd", "pwdLastSet", "lockoutTime"]]),
        (
            LOCKED,
            True,
            [NO_UNLOCK],
            Change(unlocked=False),
            [["unicodePwd", "pwdLastSet", "lockoutTime"], ["unicodePwd", "pwdLastSet"]],
        ),
        (
            ADA,  # nothing was locked, so nothing is missing
            False,
            [NO_UNLOCK],
            Change(unlocked=None),
            [["unicodePwd", "lockoutTime"], ["unicodePwd"]],
        ),
        (
            LOCKED,
            True,
            [NO_UNLOCK, NO_UNLOCK],
            Change("no_right_to_reset", code="00002098"),
            [["unicodePwd", "pwdLastSet", "lockoutTime"], ["unicodePwd", "pwdLastSet"]],
        ),
        (
            LOCKED,
            False,
            [NO_UNLOCK, REJECTED],
            Change("password_rules", unlocked=False, code="0000052D"),
            [["unicodePwd", "lockoutTime"], ["unicodePwd"]],
        ),
        (
            LOCKED,
            False,
            [REJECTED],
            Change("password_rules", unlocked=False, code="0000052D"),
            [["unicodePwd", "lockoutTime"]],
        ),
    ],
)
def test_a_lock_that_may_not_be_written_does_not_keep_the_password_away(
    entry: Entry,
    must_change: bool,
    said: list[Said],
    change: Change,
    sent: list[list[str]],
    scripted: MakeServer,
    directory: MakeDirectory,
) -> None:
    server = scripted(Domain(changes=list(said)))

    with directory(server).connect() as connection:
        found = connection.set_password(entry, NEW, unlock=True, must_change=must_change)

    assert found == change
    assert changes_of(server) == sent


@pytest.mark.parametrize("message", ["00002098: SecErr", "00000005: SecErr", "no codes"])
def test_an_unlock_alone_says_that_the_unlock_is_what_may_not_be_done(
    message: str, scripted: MakeServer, directory: MakeDirectory
) -> None:
    with directory(scripted(Domain(changes=[Said(50, message)]))).connect() as connection:
        refused = connection.unlock(LOCKED)
        done = connection.unlock(LOCKED)

    assert (refused.cause, refused.unlocked) == ("no_right_to_unlock", False)
    assert (done.done, done.unlocked) == (True, True)


def test_a_password_that_no_directory_can_be_told_is_refused_unsent(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain())

    with directory(server).connect() as connection:
        new = connection.set_password(ADA, "half \ud83d", unlock=True, must_change=False)
        changed = connection.change_password(ADA, NEW, "half \ud83d")
        compared = connection.change_password(ADA, "half \ud83d", NEW)
        fine = connection.change_password(ADA, "old", NEW)

    assert [one.cause for one in (new, changed, compared, fine)] == [
        "password_rules", "password_rules", "wrong_old_password", "",
    ]  # fmt: skip
    assert changes_of(server) == [["unicodePwd", "unicodePwd"]]


@pytest.mark.parametrize(
    "said", [Said(hangs_up=True), Said(pieces=[b"\x30"])], ids=["hangs up", "goes silent"]
)
def test_a_change_without_an_answer_may_have_been_done_and_its_server_rests(
    said: Said, scripted: MakeServer, directory: MakeDirectory
) -> None:
    first, second = scripted(Domain(changes=[said])), scripted(Domain())
    active_directory = directory(first, second, receive_timeout=1.0)

    with pytest.raises(Unanswered) as lost, active_directory.connect() as connection:
        connection.set_password(ADA, NEW, unlock=True, must_change=False)

    assert lost.value.controller == f"127.0.0.1:{first.port}"
    # Nothing is sent anywhere else on its own.
    assert (len(changes_of(first)), len(changes_of(second))) == (1, 0)
    with active_directory.connect() as connection:
        assert connection.controller == f"127.0.0.1:{second.port}"


def test_a_server_without_time_for_a_change_rests(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    clock = Clock()
    first, second = scripted(Domain(changes=[Said(51)])), scripted(Domain())
    active_directory = directory(first, second, clock=clock)

    with active_directory.connect() as connection:
        assert connection.set_password(ADA, NEW, unlock=False, must_change=False).cause == "busy"
    with active_directory.connect() as connection:
        assert connection.controller == f"127.0.0.1:{second.port}"
    clock.now += RESTS_FOR
    with active_directory.connect() as connection:
        assert connection.controller == f"127.0.0.1:{first.port}"


@pytest.mark.parametrize("code", [51, 52])
def test_another_server_is_asked_while_nothing_was_sent(
    code: int, scripted: MakeServer, directory: MakeDirectory
) -> None:
    busy, works = scripted(Domain(bind=Said(code))), scripted(Domain())
    active_directory = directory(None, busy, works)

    for _ in range(2):
        with active_directory.connect() as connection:
            assert connection.controller == f"127.0.0.1:{works.port}"

    assert len(busy.of("bindRequest")) == 1  # then it rested


def test_one_server_may_be_asked_for_by_its_name_also_while_it_rests(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    domain = Domain(bind=Said(51))
    first, second = scripted(domain), scripted(Domain())
    active_directory = directory(first, second)
    name = f"127.0.0.1:{first.port}"

    with pytest.raises(Unreachable), active_directory.connect(name):
        pass
    domain.bind = Said()
    with active_directory.connect(name) as connection:
        assert connection.controller == name
    with pytest.raises(Unreachable, match="configuration: no server dc9"):
        active_directory.sign_in(ADA, NEW, "dc9")
    assert second.asked == []


def test_a_refused_account_is_not_tried_elsewhere_because_that_would_lock_it(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    first = scripted(Domain(bind=Said(49, REFUSED_BIND.format("52e"))))
    second = scripted(Domain())

    with pytest.raises(Unreachable, match="account: wrong"), directory(first, second).connect():
        pass

    assert second.asked == []


@pytest.mark.parametrize(
    ("bind", "trouble"),
    [(Said(8), "configuration"), (Said(52), "unreachable"), (Said(hangs_up=True), "unreachable")],
)
def test_why_no_server_would_do_is_told_by_the_gravest_of_them(
    bind: Said, trouble: str, scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain(bind=bind))

    with pytest.raises(Unreachable) as refused, directory(None, server).connect():
        pass

    assert refused.value.trouble == trouble
