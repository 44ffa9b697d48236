"""The environment: a bad value stops the start with one clear line that quotes no secret."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sspr_project.env import (
    env_choice,
    env_hosts,
    env_key,
    env_list,
    env_signed_keys,
    env_text,
    env_url,
)

NAME = "SSPR_TEST_VALUE"
KEY, SIGNATURE = "A" * 43 + "=", "A" * 86 + "=="
RANDOM = "k9X2mPq7vRt4wYz8bNc3dFg6hJs5aLe1"


def stopped(read: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which this reader stops the process."""
    with pytest.raises(SystemExit) as ended:
        read()
    assert ended.value.code == 78
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_a_value_is_read_without_blanks_or_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert env_text(NAME, "default") == "default"
    monkeypatch.setenv(NAME, "  value\n")
    assert env_text(NAME, "default") == "value"


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{RANDOM}\n", encoding="utf-8")
    monkeypatch.setenv(NAME, "the file goes first")
    monkeypatch.setenv(f"{NAME}_FILE", str(file))

    assert env_text(NAME) == RANDOM
    assert env_key(NAME, production=True, development_default="") == RANDOM


@pytest.mark.parametrize("kind", ["missing", "a folder", "not text"])
def test_a_file_that_can_not_be_read_stops(
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "secret"
    if kind == "a folder":
        file.mkdir()
    elif kind == "not text":
        file.write_bytes(b"\xff\xfe\xff")
    monkeypatch.setenv(f"{NAME}_FILE", str(file))

    assert stopped(lambda: env_text(NAME), capsys).startswith(f"{NAME}_FILE: ")


def test_hosts_stand_alone_or_with_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "dc1.example.com, dc2.example.com:3636,[::1]:636")
    assert env_hosts(NAME) == ["dc1.example.com", "dc2.example.com:3636", "[::1]:636"]
    monkeypatch.setenv(NAME, "")
    assert env_hosts(NAME) == []


@pytest.mark.parametrize(
    "value", ["https://dc1.example.com", "dc1:x", "dc1:99999", "*.example", "u@dc1", "dc1/a", "::1"]
)
def test_what_is_no_host_stops(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NAME, f"dc1.example.com,{value}")
    assert "host or host:port" in stopped(lambda: env_hosts(NAME), capsys)


def test_a_list_is_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " a, b ,,c ")
    assert env_list(NAME) == ["a", "b", "c"]
    monkeypatch.setenv(NAME, "")
    assert env_list(NAME) == []


def test_a_choice_is_one_of_the_known_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NAME, "")
    assert env_choice(NAME, ("a", "b"), "a") == "a"
    monkeypatch.setenv(NAME, "b")
    assert env_choice(NAME, ("a", "b"), "a") == "b"
    monkeypatch.setenv(NAME, "B")
    assert stopped(lambda: env_choice(NAME, ("a", "b"), "a"), capsys) == f"{NAME}: use one of a, b"


@pytest.mark.parametrize("value", ["", "postgres://u:p@h:5432/d", "postgres://h/d"])
def test_an_address_of_a_known_kind_is_taken(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, value)

    assert env_url(NAME, ("postgres",)) == value
    assert env_url(NAME, ("postgres",), "postgres://h/e") == (value or "postgres://h/e")


@pytest.mark.parametrize(
    "value",
    [
        "mysql://u:hunter2@h/d",
        "hunter2",
        "postgres://u:hunter2@h:port/d",
        "postgres://u:hun#ter2@h/d",
        "postgres://u:hunter2@[::1/d",
    ],
)
def test_any_other_address_stops_without_being_quoted(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NAME, value)

    line = stopped(lambda: env_url(NAME, ("postgres",)), capsys)
    assert line.startswith(f"{NAME}: ")
    assert "ter2" not in line


@pytest.mark.parametrize("value", ["short", "a" * 64, "abcabcabc" * 9, RANDOM[:31]])
def test_a_weak_key_stops_even_in_development(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NAME, value)

    line = stopped(lambda: env_key(NAME, production=False, development_default="d"), capsys)
    assert line == f"{NAME}: set a random value of at least 32 characters"


def test_only_development_has_a_default_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(NAME, raising=False)

    assert env_key(NAME, production=False, development_default="d") == "d"
    assert NAME in stopped(lambda: env_key(NAME, production=True, development_default="d"), capsys)


def test_keys_come_with_what_vouches_for_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(NAME, f"{KEY}:{SIGNATURE}, {KEY}:{SIGNATURE}")
    assert env_signed_keys(NAME) == (f"{KEY}:{SIGNATURE}",) * 2
    monkeypatch.setenv(NAME, "")
    assert env_signed_keys(NAME) == ()

    for wrong in (KEY, f"{SIGNATURE}:{KEY}", f"{KEY}:{SIGNATURE}:", f"{KEY}:?", ":"):
        monkeypatch.setenv(NAME, wrong)
        assert "--name-successor" in stopped(lambda: env_signed_keys(NAME), capsys)
