"""A secret is shown nowhere by accident."""

import copy
import json
import logging
import pickle  # noqa: TID251 - shows that a secret refuses it
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tenants.secret import Secret

VALUE = "hunter2-canary"


@dataclass(frozen=True)
class Envelope:
    secret: Secret[str]


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        lambda secret: f"{secret!s}{secret!r}{secret:x}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - one way to show it
        lambda secret: repr([secret, {"a": secret}]),
        lambda secret: repr(Envelope(secret)),
        lambda secret: json.dumps({"a": secret}, default=str),
        lambda secret: "".join(dir(secret)),
    ],
)
def test_text_made_of_a_secret_hides_it(show: Callable[[object], str]) -> None:
    assert VALUE not in show(Secret(VALUE))
    assert VALUE not in show(Secret(VALUE.encode()))


@pytest.mark.parametrize(
    "write",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        vars,
        lambda secret: secret.__getstate__(),
    ],
)
def test_a_secret_is_not_written_anywhere(write: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as raised:
        write(Secret(VALUE))

    assert VALUE not in str(raised.value)


def test_a_traceback_with_locals_hides_it() -> None:
    def fail(secret: Secret[str]) -> None:
        raise ValueError(f"no good: {secret}")

    try:
        fail(Secret(VALUE))
    except ValueError as problem:
        shown = traceback.TracebackException.from_exception(problem, capture_locals=True)

    assert "Secret(hidden)" in "".join(shown.format())
    assert VALUE not in "".join(line for line in shown.format() if "Secret(VALUE)" not in line)


def test_a_log_line_hides_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("typed %s", Secret(VALUE))

    assert caplog.messages == ["typed Secret(hidden)"]


def test_only_reveal_gives_it_back() -> None:
    assert Secret(VALUE).reveal() == VALUE
    assert Secret(b"\x00").reveal() == b"\x00"


def test_secrets_are_compared_by_what_compares_in_constant_time_only() -> None:
    same = Secret(VALUE)

    assert Secret(VALUE) != Secret(VALUE)
    assert same != VALUE
    assert bool(same)
    assert not Secret("")
    with pytest.raises(TypeError):
        hash(same)
