"""LDAP connections: who is at the other end, what an answer is, and when waiting ends."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.certificates import Authority, Certificate
from tests.lab.scripted_ldap import Asked, Said
from tests.services.ports import free_port, wait_until
from tests.writeback.connectors.conftest import MakeServer
from tests.writeback.connectors.opened import connected
from writeback.connectors.base import Unanswered, Unreachable
from writeback.connectors.ldap import Found, LdapConnection, Server, equals
from writeback.connectors.ldap_tls import Transport

PLACE = "CN=ada,DC=corp"
SOON = 0.4
NO_BYTES: tuple[bytes, ...] = ()


def unreachable(server: Server, transport: Transport) -> Unreachable:
    with pytest.raises(Unreachable) as refused, connected(server, transport):
        pass
    return refused.value


def at(server: Any) -> Server:
    return Server(server.host, server.port)


def fine(asked: Asked) -> Said:
    return Said()


def test_a_server_is_named_by_its_host_and_by_a_port_of_its_own() -> None:
    assert Server("dc1.corp").name == "dc1.corp"
    assert Server("dc1.corp", 3636).name == "dc1.corp:3636"


@pytest.mark.parametrize("host", ["dc1", "dc-1.corp.example", "10.0.0.7", "fd00::7", "dc_1"])
def test_a_server_is_a_name_or_an_address(host: str) -> None:
    assert Server(host).host == host


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("", 636),
        ("ldap://dc1", 636),
        ("ldaps://dc1", 636),
        ("ldapi://%2frun%2fslapd", 636),
        ("LDAP://dc1", 636),
        ("dc1:389", 636),
        ("dc1/", 636),
        ("dc 1", 636),
        ("dc1\n", 636),
        ("-dc1", 636),
        ("user@dc1", 636),
        ("dc\u0661", 636),
        ("dc1", 0),
        ("dc1", 65536),
    ],
)
def test_nothing_else_is_a_server_least_of_all_a_wish_to_go_without_tls(
    host: str, port: int
) -> None:
    with pytest.raises(ValueError, match="no server"):
        Server(host, port)


def test_every_byte_of_a_filter_value_is_escaped() -> None:
    assert equals("cn", b"a)(*\0\xff") == r"(cn=\61\29\28\2a\00\ff)"


def test_attributes_are_found_whatever_the_case_of_their_names() -> None:
    found = Found(PLACE, {"cn": (b"Ad\xff", b"x"), "number": (b"12",), "none": ()})

    assert found.first("CN") == b"Ad\xff"
    assert found.text("cN") == "Ad\N{REPLACEMENT CHARACTER}"
    assert (found.number("Number"), found.number("cn"), found.number("gone")) == (12, None, None)
    assert (found.first("none"), found.text("gone")) == (None, "")


def test_what_a_server_says_is_an_answer_and_no_exception(
    scripted: MakeServer, ca_file: Path
) -> None:
    entry = (PLACE, {"cn": [b"ada"], "thumb": [b"\xff\x00", b"2"]})
    said = iter([Said(7, "no"), Said(entries=[entry]), Said(19, "0000052D: no"), Said(2, "what")])
    server = scripted(lambda asked: next(said))

    with connected(at(server), Transport(ca_file)) as link:
        assert link.controller == f"127.0.0.1:{server.port}"
        assert link.bind("ada@corp", "secret").code == 7
        found = link.search(PLACE, equals("cn", b"ada"), ["cn"]).entries
        assert found == (Found(PLACE, {"cn": (b"ada",), "thumb": (b"\xff\x00", b"2")}),)
        refused = link.modify(PLACE, {"cn": [("add", [b"x"]), ("delete", [])]})
        assert (refused.code, refused.message) == (19, "0000052D: no")
        assert link.extended("1.2.3", b"value").code == 2

    wait_until(lambda: bool(server.of("unbindRequest")), "the goodbye", 5)
    assert [asked.kind for asked in server.asked[:-1]] == [
        "bindRequest", "searchRequest", "modifyRequest", "extendedReq",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "password"),
    [("", "secret"), ("ada@corp", ""), ("", ""), ("ada@corp", "half \ud83d")],
)
def test_nobody_signs_in_without_a_name_or_a_password(
    name: str, password: str, scripted: MakeServer, ca_file: Path
) -> None:
    server = scripted(fine)

    with connected(at(server), Transport(ca_file)) as link:
        with pytest.raises(ValueError, match="needs a name and a password") as refused:
            link.bind(name, password)
        assert refused.value.__context__ is None
        assert link.bind("ada@corp", "secret").code == 0

    assert len(server.of("bindRequest")) == 1


def test_an_authority_may_be_given_as_text(scripted: MakeServer, ca_file: Path) -> None:
    server, pem = scripted(fine), ca_file.read_text(encoding="utf-8")

    with connected(at(server), Transport(ca_pem=pem)) as link:
        assert link.bind("ada@corp", "secret").code == 0


def test_nothing_listens_and_no_such_host_are_unreachable(ca_file: Path) -> None:
    nobody = unreachable(Server("127.0.0.1", free_port()), Transport(ca_file))
    nowhere = unreachable(Server("dc.invalid"), Transport(ca_file))

    assert (nobody.trouble, nowhere.trouble) == ("unreachable", "unreachable")
    assert "refused" in nobody.detail


def test_only_a_certificate_of_a_known_authority_for_this_name_and_day_is_believed(
    scripted: MakeServer, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority.create(tmp_path / "stranger")
    faults = {
        "unable to get local issuer certificate": stranger.issue(tmp_path / "1", ["127.0.0.1"]),
        "certificate has expired": authority.issue(tmp_path / "2", ["127.0.0.1"], expired=True),
        "IP address mismatch": authority.issue(tmp_path / "3", ["localhost", "127.0.0.2"]),
    }

    for words, shown in faults.items():
        server = scripted(fine, shown)
        refused = unreachable(at(server), Transport(authority.file))

        assert refused.trouble == "untrusted"
        assert words in refused.detail
        assert server.asked == []


def test_without_a_ca_file_the_system_s_authorities_count(scripted: MakeServer) -> None:
    assert unreachable(at(scripted(fine)), Transport()).trouble == "untrusted"


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_holds_none_is_a_fault_of_the_configuration(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    refused = unreachable(Server("127.0.0.1", free_port()), Transport(path))

    assert refused.trouble == "configuration"
    assert refused.detail.startswith("ca_file")


def test_a_server_without_tls_is_never_talked_to_in_the_open(
    scripted: MakeServer, ca_file: Path
) -> None:
    plain = scripted(lambda asked: Said(52, "no TLS here"), None)

    asked_for_tls = unreachable(at(plain), Transport(ca_file, starttls=True))
    assert asked_for_tls.trouble == "configuration"
    assert [asked.kind for asked in plain.asked] == ["extendedReq"]

    # A handshake is no LDAP, so such a server has nothing to say and the wait for it ends.
    assert unreachable(at(plain), Transport(ca_file, connect_timeout=SOON)).trouble in {
        "unreachable", "untrusted",
    }  # fmt: skip
    assert [asked.kind for asked in plain.asked] == ["extendedReq"]


def reading(link: LdapConnection) -> object:
    return link.search(PLACE, "(cn=*)", ["cn"])


def changing(link: LdapConnection) -> object:
    return link.modify(PLACE, {"cn": [("replace", [b"x"])]})


def asking_for_more(link: LdapConnection) -> object:
    return link.extended("1.2.3", b"value")


@pytest.mark.parametrize(
    ("request_of", "expected"),
    [(reading, Unreachable), (changing, Unanswered), (asking_for_more, Unanswered)],
)
@pytest.mark.parametrize(
    "said",
    [
        Said(hangs_up=True),
        Said(pieces=[b"\x30\x05\x02\x01"]),
        Said(pieces=[b"0\x0c\x02\x01\x02\x67\x07\x0a\x02\x12\x34\x04\x00\x04\x00"]),
        Said(pieces=[b"GET / HTTP/1.1\r\n\r\n" + bytes(200)]),
    ],
    ids=["hangs up", "stops halfway", "an unknown result", "another protocol"],
)
def test_an_answer_that_is_none_leaves_a_change_unanswered(
    request_of: Any, expected: type[Exception], said: Said, scripted: MakeServer, ca_file: Path
) -> None:
    server = scripted(lambda asked: said)

    with connected(at(server), Transport(ca_file, receive_timeout=SOON)) as link:
        with pytest.raises(expected) as lost:
            request_of(link)
        assert lost.value.__context__ is None
        # The connection is of no more use, and nothing more leaves over it.
        with pytest.raises(Unreachable, match="closed"):
            changing(link)

    assert len(server.asked) == 1


def test_an_answer_that_trickles_in_is_not_waited_for_longer(
    scripted: MakeServer, ca_file: Path
) -> None:
    def trickle() -> Iterator[bytes]:
        yield b"\x30\x82\x0f\xff"
        while True:
            time.sleep(SOON / 10)
            yield b"\0"

    server = scripted(lambda asked: Said(pieces=trickle()))

    with connected(at(server), Transport(ca_file, receive_timeout=SOON)) as link:
        begun = time.monotonic()
        with pytest.raises(Unanswered) as lost:
            changing(link)

        assert time.monotonic() - begun < 4 * SOON
        assert lost.value.controller == link.controller


def test_a_password_is_in_no_exception_and_not_kept(
    scripted: MakeServer, ca_file: Path, certificate: Certificate
) -> None:
    secret = "Velvet-Kettle-93"
    server = scripted(lambda asked: Said(hangs_up=asked.kind == "modifyRequest"))

    with connected(at(server), Transport(ca_file)) as link:
        link.bind("ada@corp", secret)
        kept = vars(link._link)
        assert kept["password"] is None
        with pytest.raises(Unanswered) as lost:
            link.modify(PLACE, {"unicodePwd": [("replace", [secret.encode()])]})

    assert kept["request"] is None
    assert secret not in repr(kept) + repr(lost.value) + str(lost.value.__context__)
