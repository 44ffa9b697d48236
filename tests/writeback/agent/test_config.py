"""An agent's configuration: what is wrong stops it, with one line that says where and what."""

from pathlib import Path

import pytest

from writeback.agent.cap import Cap
from writeback.agent.config import ConfigError, read_config
from writeback.places import read_place

WHOLE = """
product = "https://reset.example.com"
ca_file = "/etc/sspr-agent/ca.crt"
proxy = "http://proxy.example.com:3128"
state = "/var/lib/sspr-agent"
name = "agent-1"

[directory]
kind = "active_directory"
secret_file = "/run/secret"
canary = "0c5e0e5c-8f0d-4c39-8e8f-3f1d1f1c9b11"

[directory.settings]
base = "DC=example,DC=com"

[limits]
places = ["OU=Staff,DC=example,DC=com", 'OU=A\\,B,DC=example,DC=com']
protected = "allow"
per_hour = 120
burst = 20
at_once = 4
"""
SMALL = """
product = "https://reset.example.com/"
state = "/var/lib/sspr-agent"
[directory]
kind = "active_directory"
[limits]
places = ["OU=Staff,DC=example,DC=com"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.toml"


def test_every_key_is_taken(path: Path) -> None:
    path.write_text(WHOLE)

    config = read_config(path)

    assert config.product == "https://reset.example.com"
    assert (config.ca_file, config.proxy) == (
        Path("/etc/sspr-agent/ca.crt"),
        "http://proxy.example.com:3128",
    )
    assert (config.state, config.name) == (Path("/var/lib/sspr-agent"), "agent-1")
    assert (config.kind, config.settings) == ("active_directory", {"base": "DC=example,DC=com"})
    assert (config.secret_file, config.canary) == (
        Path("/run/secret"),
        "0c5e0e5c-8f0d-4c39-8e8f-3f1d1f1c9b11",
    )
    assert config.places == (
        read_place("OU=Staff,DC=example,DC=com"),
        read_place(r"OU=A\,B,DC=example,DC=com"),
    )
    assert (config.may_touch_protected, config.cap, config.at_once) == (True, Cap(120, 20), 4)


def test_what_is_left_out_is_the_careful_choice(path: Path) -> None:
    path.write_text(SMALL)

    config = read_config(path)

    assert (config.product, config.proxy, config.ca_file) == ("https://reset.example.com", "", None)
    assert (config.may_touch_protected, config.cap, config.at_once) == (False, Cap(60, 10), 8)
    assert config.name
    assert config.get_secret() == ""


WRONG = [
    ('prodct = "x"\n' + SMALL, ":1: prodct is no key here; known are"),
    (SMALL.replace("[limits]", "[limits]\nplace = 1"), ":7: limits.place is no key here"),
    (SMALL.replace("[directory]", "[directory]\npassword = 'x'"), ":5: directory.password is no"),
    (SMALL + "[direktory]\nkind = 'x'", ":8: direktory is no key here"),
    (SMALL.replace("https://reset.example.com/", "http://reset.example.com"), ":2: product begins"),
    (SMALL.replace("https://reset.example.com/", "ftp://x"), ":2: product begins with https://"),
    (SMALL.replace("https://reset.example.com/", "reset.example.com"), ":2: product is an address"),
    (SMALL.replace("example.com/", "example.com/sspr"), ":2: product is an address"),
    (SMALL.replace("https://", "https://me:secret@"), ":2: product holds no name or password"),
    (
        "allow_loopback_http = true\n" + SMALL.replace("https:", "http:"),
        ":3: product may be http only on this machine",
    ),
    ('allow_loopback_http = "yes"\n' + SMALL.replace("https:", "http:"), ":1: allow_loopback_http"),
    (SMALL.replace('"/var/lib/sspr-agent"', '"state"'), ":3: state is a whole path"),
    (SMALL.replace('"/var/lib/sspr-agent"', "7"), ":3: state is a text in quotes"),
    (SMALL.replace("product", 'name = "a\\nb"\nproduct'), ":2: name is one line"),
    (SMALL.replace('kind = "active_directory"', ""), ":4: directory.kind is missing"),
    (
        SMALL.replace("[directory]", "[directory]\nsettings = 1"),
        ":5: directory.settings is a table",
    ),
    (SMALL.replace('["OU=Staff,DC=example,DC=com"]', "[]"), ":7: limits.places is missing"),
    (SMALL.replace('["OU=Staff,DC=example,DC=com"]', '"x"'), ":7: limits.places is missing"),
    (
        SMALL.replace("OU=Staff,", "Staff,"),
        ":7: limits.places holds no distinguished name: 'Staff,",
    ),
    (SMALL + 'protected = "maybe"', ':8: limits.protected is "refuse" or "allow"'),
    (SMALL + "burst = 0", ":8: limits.burst is a number from 1 to 1000"),
    (SMALL + "per_hour = true", ":8: limits.per_hour is a number"),
    (SMALL + 'at_once = "8"', ":8: limits.at_once is a number from 1 to 64"),
    ("limits = 3\n" + SMALL[: SMALL.index("[limits]")], ":1: limits is a table"),
    ("product = ", "this is not TOML"),
    ("", ":1: directory.kind is missing"),
]


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_what_can_t_be_right_is_named_with_its_line(path: Path, text: str, says: str) -> None:
    path.write_text(text)

    with pytest.raises(ConfigError) as wrong:
        read_config(path)

    assert says in str(wrong.value)
    assert str(wrong.value).startswith(str(path))
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_http_is_for_this_machine_alone_and_only_on_demand(path: Path, host: str) -> None:
    text = SMALL.replace("https://reset.example.com/", f"http://{host}")
    path.write_text("allow_loopback_http = true\n" + text)
    assert read_config(path).product == f"http://{host}"

    path.write_text(text)
    with pytest.raises(ConfigError, match="begins with https"):
        read_config(path)


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"agent\.toml: No such file"):
        read_config(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(path)


def test_a_secret_is_read_if_its_owner_alone_can(path: Path) -> None:
    secret = path.with_name("secret")
    path.write_text(SMALL.replace("[directory]", f'[directory]\nsecret_file = "{secret}"'))
    config = read_config(path)

    with pytest.raises(ConfigError, match="No such file"):
        config.get_secret()
    secret.write_text(" kept as typed \r\n")
    for mode, is_read in ((0o600, True), (0o400, True), (0o640, False), (0o604, False)):
        secret.chmod(mode)
        if is_read:
            assert config.get_secret() == " kept as typed "
        else:
            with pytest.raises(ConfigError, match=f"chmod 600 {secret}"):
                config.get_secret()


def test_a_credential_of_the_service_may_have_a_group(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "directory-secret"
    secret.write_text("secret\n")
    path.write_text(SMALL.replace("[directory]", f'[directory]\nsecret_file = "{secret}"'))
    config = read_config(path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    secret.chmod(0o440)
    assert config.get_secret() == "secret"
    secret.chmod(0o444)
    with pytest.raises(ConfigError, match="others can read"):
        config.get_secret()


def test_a_secret_that_is_no_text_is_named_without_it(path: Path) -> None:
    secret = path.with_name("secret")
    secret.write_bytes(b"\xff\xfe")
    secret.chmod(0o600)
    path.write_text(SMALL.replace("[directory]", f'[directory]\nsecret_file = "{secret}"'))

    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(path).get_secret()
