"""What may be set up about a directory that the product reaches itself: never a host that the
operator did not name, and never a file."""

from dataclasses import replace

import pytest

from writeback.connectors.settings import SettingWrong
from writeback.direct_settings import (
    MICROSOFT,
    Allowed,
    DirectSettings,
    directory_from,
    hosts_read,
    places_read,
)

LDAP = 'servers = ["dc1.example.com"]\nbase = "DC=example,DC=com"\naccount = "a@example.com"\n'
SCIM = 'base = "https://scim.example.com/v2"\n'
ENTRA = 'tenant = "contoso.example"\nclient = "of-the-application"\n'
ALLOWED = Allowed(hosts_read(["dc1.example.com", "dc2.example.com:3636", "scim.example.com"]))
NOWHERE = Allowed()


def reached(kind: str, text: str, allowed: Allowed = ALLOWED) -> str:
    return directory_from(kind, text, lambda: "secret", allowed).kind


def refused(kind: str, text: str, allowed: Allowed = ALLOWED) -> SettingWrong:
    with pytest.raises(SettingWrong) as caught:
        reached(kind, text, allowed)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("active_directory", LDAP),
        ("openldap", LDAP),
        ("openldap", f"{LDAP}starttls = true\n"),
        ("openldap", LDAP.replace("dc1.example.com", "DC1.Example.COM")),
        ("openldap", LDAP.replace("dc1.example.com", "dc2.example.com:3636")),
        ("scim", SCIM),
    ],
)
def test_a_host_that_the_operator_named_may_be_reached_on_its_port(kind: str, text: str) -> None:
    assert reached(kind, text) == kind
    assert "may not be reached" in refused(kind, text, NOWHERE).fix


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("openldap", LDAP.replace("dc1.example.com", "127.0.0.1")),
        ("openldap", LDAP.replace("dc1.example.com", "dc1.example.com:5432")),
        ("openldap", LDAP.replace("dc1.example.com", "dc2.example.com")),
        ("openldap", LDAP.replace('"]', '", "10.0.0.5"]')),
        ("active_directory", LDAP.replace("dc1.example.com", "dc1.example.com.evil.example")),
        ("scim", SCIM.replace("scim.example.com", "scim.example.com:8443")),
        ("scim", SCIM.replace("scim.example.com", "169.254.169.254")),
        ("entra_id", f'{ENTRA}graph = "https://graph.evil.example/v1.0"\n'),
        ("entra_id", f'{ENTRA}login = "https://login.evil.example"\n'),
        ("entra_id", f'{ENTRA}graph = "https://graph.microsoft.com:8443/v1.0"\n'),
    ],
)
def test_no_other_host_or_port_is_reached(kind: str, text: str) -> None:
    assert "may not be reached" in refused(kind, text).fix


def test_microsofts_own_need_no_operator_and_are_there_for_entra_alone() -> None:
    assert reached("entra_id", ENTRA, NOWHERE) == "entra_id"
    for host, port in MICROSOFT:
        text = f'base = "https://{host}:{port}/scim"\n'
        assert "may not be reached" in refused("scim", text).fix


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ca_file", 'ca_file = "/etc/passwd"'),
        ("ca_pem", 'ca_pem = "not a certificate"'),
        ("is_test", "is_test = true"),
        ("password", 'password = "in the wrong place"'),
        ("connect_timeout", "connect_timeout = 300"),
        ("receive_timeout", "receive_timeout = 11"),
        ("settings", "this is no TOML"),
        ("settings", "x = " + "[" * 4000),
        ("settings", "#" * 20_001),
    ],
)
def test_a_setting_that_may_not_be_is_named(name: str, line: str) -> None:
    wrong = refused("openldap", f"{LDAP}{line}\n")
    assert wrong.name == name
    assert "in the wrong place" not in str(wrong)


def test_many_servers_are_too_many() -> None:
    servers = ", ".join(['"dc1.example.com"'] * 5)
    assert refused("openldap", LDAP.replace('"dc1.example.com"', servers)).name == "servers"


def test_plain_http_is_for_tests_on_this_machine_and_for_a_host_that_was_named() -> None:
    text = 'base = "http://127.0.0.1:8900/scim"\nis_test = true\n'
    here = Allowed(hosts_read(["127.0.0.1:8900"]))
    assert refused("scim", text, here).name == "is_test"
    assert reached("scim", text, replace(here, is_test=True)) == "scim"
    assert "may not be reached" in refused("scim", text, Allowed(is_test=True)).fix


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("DC.example", {("dc.example", port) for port in (389, 443, 636)}),
        ("dc.example:3636", {("dc.example", 3636)}),
        ("[::1]", {("::1", port) for port in (389, 443, 636)}),
        ("[::1]:636", {("::1", 636)}),
    ],
)
def test_an_operator_writes_hosts_with_or_without_a_port(
    text: str, pairs: set[tuple[str, int]]
) -> None:
    assert hosts_read([text]) == pairs


@pytest.mark.parametrize("text", ["", ":636", "dc:0", "dc:x", "::1", "*.example", "a/b", "u@dc"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        hosts_read([text])


def test_places_are_names_or_paths_and_never_none() -> None:
    assert len(places_read(["OU=Staff,DC=example,DC=com", "/users"])) == 2
    for texts in ([], ["Staff"]):
        with pytest.raises(SettingWrong) as caught:
            places_read(texts)
        assert caught.value.name == "places"


def test_what_was_stored_is_read_again_and_nothing_else() -> None:
    wanted = DirectSettings(LDAP, ("/users",), 5, 2)
    assert DirectSettings.read(wanted.stored()) == wanted
    assert (wanted.cap.per_hour, wanted.cap.burst) == (5, 2)
    for stored in ({}, {**wanted.stored(), "burst": "many"}, {**wanted.stored(), "places": None}):
        with pytest.raises(SettingWrong):
            DirectSettings.read(stored)
