"""The connector against a controller that says what no controller of the lab does: the history
control, other servers' codes, servers that are busy, and entries that may not be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.lab.scripted_ldap import Asked, Said, ScriptedLdap
from tests.services.ports import free_port
from tests.writeback.connectors.conftest import MakeServer
from writeback.connectors.active_directory import ActiveDirectory, Settings, from_settings
from writeback.connectors.base import (
    Change,
    Connection,
    Directory,
    DirectoryRules,
    Entry,
    Rights,
    Unanswered,
    Unreachable,
)
from writeback.connectors.breaker import RESTS_FOR
from writeback.connectors.ldap import Server, Transport
from writeback.connectors.settings import SettingWrong

BASE = "DC=corp,DC=example"
ANCHOR = "f79fd50a-3777-4039-ab10-baa55ae57946"
PLACE = f"CN=ada,OU=Staff,{BASE}"
HINTS, OLD_HINTS = "1.2.840.113556.1.4.2239", "1.2.840.113556.1.4.2066"
ADA = Entry(ANCHOR, PLACE, "ada@corp")
LOCKED = Entry(ANCHOR, PLACE, "ada@corp", locked=True)
NEW = "Velvet-Kettle-93"
NO_UNLOCK = Said(50, "00002098: SecErr: problem 4003 (INSUFF_ACCESS_RIGHTS), data 0")
REJECTED = Said(53, "0000052D: SvcErr: problem 5003 (WILL_NOT_PERFORM), data 0")
REFUSED_BIND = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {}, v2"


@dataclass
class Domain:
    """What the server answers. changes: to modifications, in their order, then success; search: to
    all reading but of itself; entries: by the place that is read."""

    controls: Sequence[str] = (HINTS, OLD_HINTS)
    bind: Said = field(default_factory=Said)
    changes: list[Said] = field(default_factory=list)
    search: Said | None = None
    entries: dict[str, dict[str, list[bytes]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = {
            "defaultNamingContext": [BASE.encode()],
            "supportedControl": [control.encode() for control in self.controls],
            "tokenGroups": [b"\1\1\0\0\0\0\0\5\x0b\0\0\0"],
        }
        self.entries = {"": own, BASE: {"minPwdLength": [b"10"]}, **self.entries}

    def __call__(self, asked: Asked) -> Said:
        if asked.kind == "bindRequest":
            return self.bind
        if asked.kind == "modifyRequest":
            return self.changes.pop(0) if self.changes else Said()
        if self.search is not None and asked.base:
            return self.search
        found = self.entries.get(asked.base)
        return Said(entries=[(asked.base, found)]) if found is not None else Said(32, "00002030: ")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


MakeDirectory = Callable[..., ActiveDirectory]


@pytest.fixture
def directory(ca_file: Path) -> MakeDirectory:
    """The connector over these servers; anything but a server is a port that nobody listens on."""

    def make(*servers: ScriptedLdap | None, clock: Clock | None = None, **more: Any) -> Any:
        controllers = tuple(
            Server("127.0.0.1", one.port if one else free_port()) for one in servers
        )
        transport = Transport(ca_file, receive_timeout=more.pop("receive_timeout", 10.0))
        settings = {"password": lambda: "Svc-1", "transport": transport, **more}
        return ActiveDirectory(
            Settings(controllers, BASE, "svc@corp", **settings), clock or Clock()
        )

    return make


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


def no_file() -> str:
    raise FileNotFoundError("password")


@pytest.mark.parametrize(("password", "trouble"), [(no_file, "configuration"), (str, "account")])
def test_an_account_without_a_password_is_not_signed_in(
    password: Callable[[], str], trouble: str, scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain())

    with pytest.raises(Unreachable) as refused, directory(server, password=password).connect():
        pass

    assert refused.value.trouble == trouble
    assert server.of("bindRequest") == []


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (Said(), "right"),
        (Said(49, REFUSED_BIND.format("52e")), "wrong"),
        (Said(49, REFUSED_BIND.format("530")), "not_now"),
        (Said(49, REFUSED_BIND.format("531")), "not_here"),
        (Said(49, REFUSED_BIND.format("532")), "expired"),
        (Said(49, "no code"), "refused"),
    ],
)
def test_a_sign_in_is_told_by_its_codes(
    said: Said, answer: str, scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain(bind=said))

    assert directory(server).sign_in(ADA, NEW) == answer
    assert [asked.details["name"] for asked in server.of("bindRequest")] == [PLACE]


@pytest.mark.parametrize("password", ["", "half \ud83d"])
def test_a_password_that_is_none_is_never_sent(
    password: str, scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain())

    assert directory(server).sign_in(ADA, password) == "wrong"
    assert server.asked == []


@pytest.mark.parametrize("said", [Said(hangs_up=True), Said(51)])
def test_a_sign_in_is_tried_on_one_server_only(
    said: Said, scripted: MakeServer, directory: MakeDirectory
) -> None:
    first, second = scripted(Domain(bind=said)), scripted(Domain())

    with pytest.raises(Unreachable, match="unreachable"):
        directory(first, second).sign_in(ADA, NEW)

    assert second.asked == []


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (Said(51), "unreachable"),
        (Said(1, "00002020: Operations error"), "unreachable"),
        (Said(10), "unreachable"),
        (Said(32, "0000208D: NameErr"), "configuration"),
        (Said(hangs_up=True), "unreachable"),
    ],
)
def test_a_search_that_failed_is_not_taken_for_nobody(
    said: Said, trouble: str, scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain(search=said))

    with pytest.raises(Unreachable) as failed, directory(server).connect() as connection:
        connection.find(ANCHOR)

    assert failed.value.trouble == trouble


def test_two_who_answer_to_one_id_are_nobody(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    found = {"objectGUID": [UUID(ANCHOR).bytes_le]}
    one, two = (PLACE, found), (f"CN=eva,{BASE}", found)
    domain = Domain(search=Said(entries=[one]))

    with directory(scripted(domain)).connect() as connection:
        assert connection.find(ANCHOR) == Entry(ANCHOR, PLACE, "")
        domain.search = Said(entries=[one, two])
        assert connection.find(ANCHOR) is None


XML = (
    b"<DS_REPL_ATTR_META_DATA><pszAttributeName>unicodePwd</pszAttributeName>"
    b"<dwVersion>9</dwVersion><ftimeLastOriginatingChange>2026-11-20T09:30:00Z"
    b"</ftimeLastOriginatingChange></DS_REPL_ATTR_META_DATA>"
)
STAMPS, VECTOR = "msDS-ReplAttributeMetaData", "replPropertyMetaData"
SET = {"pwdLastSet": [b"134396406000000000"]}
EMPTY_VECTOR = b"\1" + bytes(15)


@pytest.mark.parametrize(
    ("attributes", "version", "year"),
    [
        ({STAMPS: [XML]}, 9, 2026),
        ({STAMPS: [XML], VECTOR: [b"not looked at"]}, 9, 2026),
        ({STAMPS: [XML], **SET}, 9, 2026),
        ({STAMPS: [b"<other/>"]}, 0, 1601),
        ({VECTOR: [EMPTY_VECTOR], "pwdLastSet": [b"0"]}, 0, 1601),
        ({}, 0, 1601),
    ],
)
def test_the_version_of_a_password_is_read_as_windows_tells_it(
    attributes: dict[str, list[bytes]],
    version: int,
    year: int,
    scripted: MakeServer,
    directory: MakeDirectory,
) -> None:
    server = scripted(Domain(entries={PLACE: attributes}))

    with directory(server).connect() as connection:
        found = connection.witness(ADA)

    assert (found.controller, found.version) == (f"127.0.0.1:{server.port}", version)
    assert found.changed_at.year == year


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {PLACE: SET},
        {PLACE: {VECTOR: [EMPTY_VECTOR], **SET}},
        {PLACE: {STAMPS: [XML.replace(b">9<", b">x<")]}},
        {PLACE: {VECTOR: [b"\2"]}},
    ],
)
def test_without_a_version_that_can_be_read_nothing_is_changed(
    entries: dict[str, dict[str, list[bytes]]], scripted: MakeServer, directory: MakeDirectory
) -> None:
    server = scripted(Domain(entries=entries))

    expected = pytest.raises(Unreachable, match="account: version of the password")
    with directory(server).connect() as connection, expected:
        connection.witness(ADA)


POLICY_PLACE = f"CN=strict,CN=Password Settings Container,CN=System,{BASE}"


def test_a_policy_of_one_s_own_that_may_not_be_read_is_still_told_of(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    person = {"msDS-ResultantPSO": [POLICY_PLACE.encode()]}
    domain = Domain(controls=[], entries={PLACE: person})

    with directory(scripted(domain)).connect() as connection:
        assert connection.rules(ADA) == DirectoryRules(fine_grained=True)
        domain.entries[POLICY_PLACE] = {"msDS-MinimumPasswordLength": [b"16"]}
        assert connection.rules(ADA) == DirectoryRules(min_length=16, fine_grained=True)
        del person["msDS-ResultantPSO"]
        assert connection.rules(ADA) == DirectoryRules(min_length=10)


def test_a_server_that_says_nothing_of_itself_is_not_relied_on(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    silent, works = Domain(), Domain()
    del silent.entries[""]
    first, second = scripted(silent), scripted(works)

    with pytest.raises(Unreachable, match="configuration"), directory(first).connect():
        pass
    with directory(first, second).connect() as connection:
        assert connection.controller == f"127.0.0.1:{second.port}"


def test_rules_that_can_not_be_read_are_no_rules_of_nothing(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    domain = Domain()
    del domain.entries[BASE]
    server = scripted(domain)

    expected = pytest.raises(Unreachable, match="configuration")
    with directory(server).connect() as connection, expected:
        connection.rules(ADA)


def test_rights_that_can_not_be_read_are_none(
    scripted: MakeServer, directory: MakeDirectory
) -> None:
    nothing = Rights(reset=False, unlock=False, must_change=False)
    domain = Domain()

    with directory(scripted(domain)).connect() as connection:
        assert connection.rights(ADA) == nothing
        domain.entries[PLACE] = {}
        assert connection.rights(ADA) == nothing
        domain.entries[PLACE] = {"allowedAttributesEffective": [b"LockoutTime", b"cn"]}
        assert connection.rights(ADA) == Rights(reset=False, unlock=True, must_change=False)
        del domain.entries[""]
        assert connection.rights(ADA) == nothing


def test_the_account_s_password_is_in_no_text_of_the_settings() -> None:
    settings = Settings((Server("dc1"),), BASE, "svc@corp", lambda: "Velvet-Kettle")

    assert settings.password() == "Velvet-Kettle"
    assert "Velvet" not in repr(settings)
    assert settings.transport == Transport()
    assert settings.controllers[0].port == 636


def test_what_an_administrator_wrote_becomes_a_directory(
    scripted: MakeServer, ca_file: Path
) -> None:
    server = scripted(Domain())
    written = {
        "servers": [f"127.0.0.1:{server.port}", "dc2.corp.example"],
        "base": BASE,
        "account": "svc@corp",
        "ca_file": str(ca_file),
        "receive_timeout": 3,
    }

    with from_settings(written, lambda: "Svc-1").connect() as connection:
        assert connection.controller == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"servers": []}, "servers"),
        ({"servers": "ldap://dc1"}, "servers"),
        ({"base": ""}, "base"),
        ({"account": ""}, "account"),
        ({"starttls": "yes"}, "starttls"),
        ({"connect_timeout": 0}, "connect_timeout"),
        ({"verify": False}, "verify"),
        ({"password": "Velvet-Kettle"}, "password"),
    ],
)
def test_a_setting_that_can_not_be_right_is_named_without_its_value(
    wrong: dict[str, object], name: str
) -> None:
    written = {"servers": "dc1", "base": BASE, "account": "svc@corp", "starttls": True}
    assert from_settings(written, str).kind == "active_directory"

    with pytest.raises(SettingWrong, match=f"^{name}: ") as refused:
        from_settings({**written, **wrong}, str)

    assert "Velvet" not in str(refused.value)


@pytest.mark.parametrize("missing", [{"controllers": ()}, {"base": ""}, {"account": ""}])
def test_settings_that_lack_something_are_none(missing: dict[str, Any]) -> None:
    whole = Settings((Server("dc1"),), BASE, "svc@corp", str)

    with pytest.raises(ValueError, match="needs"):
        replace(whole, **missing)
