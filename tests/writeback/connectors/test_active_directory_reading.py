"""What Active Directory's connector reads, whom it signs in, and how it is set up."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.lab.scripted_ldap import Said
from tests.writeback.connectors.conftest import MakeServer
from tests.writeback.connectors.domain import (
    ADA,
    ANCHOR,
    BASE,
    NEW,
    PLACE,
    REFUSED_BIND,
    Domain,
    MakeDirectory,
)
from writeback.connectors.active_directory import Settings, from_settings
from writeback.connectors.base import (
    DirectoryRules,
    Entry,
    Rights,
    Unreachable,
)
from writeback.connectors.ldap import Server
from writeback.connectors.ldap_tls import Transport
from writeback.connectors.settings import SettingWrong


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
