"""What an administrator wrote about a directory is taken exactly, and a mistake is named."""

from pathlib import Path
from typing import Any

import pytest

from writeback.connectors.settings import SettingWrong, Written, is_sendable

SECRET = "Hunter2-Hunter2"


def test_what_is_written_is_taken_and_what_is_not_has_its_default() -> None:
    written = Written(
        {
            "base": "dc=x",
            "servers": ["a", "b"],
            "one": "a",
            "way": "second",
            "on": True,
            "wait": 3,
            "ca_file": "ca.pem",
        }
    )

    assert written.text("base") == "dc=x"
    assert written.text("other", "") == ""
    assert written.texts("servers") == ("a", "b")
    assert written.texts("one") == ("a",)
    assert written.choice("way", ("first", "second")) == "second"
    assert written.choice("not written", ("first", "second")) == "first"
    assert (written.flag("on"), written.flag("off")) == (True, False)
    assert (written.seconds("wait", 1), written.seconds("longer", 1.5)) == (3.0, 1.5)
    assert (written.file("ca_file"), written.file("no_file")) == (Path("ca.pem"), None)
    written.end()


@pytest.mark.parametrize(
    ("call", "value"),
    [
        (lambda written: written.text("it"), None),
        (lambda written: written.text("it"), ""),
        (lambda written: written.text("it", ""), 3),
        (lambda written: written.texts("it"), []),
        (lambda written: written.texts("it"), ["a", ""]),
        (lambda written: written.texts("it"), ["a", 3]),
        (lambda written: written.texts("it"), {"a": 1}),
        (lambda written: written.texts("it"), ""),
        (lambda written: written.choice("it", ("first", "second")), SECRET),
        (lambda written: written.flag("it"), "true"),
        (lambda written: written.seconds("it", 1), 0),
        (lambda written: written.seconds("it", 1), 301),
        (lambda written: written.seconds("it", 1), True),
        (lambda written: written.seconds("it", 1), SECRET),
        (lambda written: written.file("it"), 3),
        (lambda written: written.certificates("it"), 3),
        (lambda written: written.certificates("it"), SECRET),
        (lambda written: written.certificates("it"), "-----BEGIN CERTIFICATE-----"),
        (lambda written: written.end(), SECRET),
    ],
)
def test_a_mistake_is_named_and_not_repeated(call: Any, value: object) -> None:
    with pytest.raises(SettingWrong) as caught:
        call(Written({"it": value} if value is not None else {}))

    assert caught.value.name == "it"
    assert caught.value.fix
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("password", "sendable"),
    [
        ("", False),
        (" ", True),
        ("👩‍🚀 e\u0301 \"'", True),
        ("\x00", True),
        ("half \ud83d", False),
        ("\udfff", False),
    ],
)
def test_a_password_can_be_sent_when_it_is_a_text_that_every_system_writes_alike(
    password: str, sendable: bool
) -> None:
    assert is_sendable(password) is sendable
