"""Logs: one JSON line an event; secrets and what an exception quotes are not in it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from sspr_project.logs import HIDDEN, configure
from tenants.secret import Secret

CANARY = "hunter2-canary"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged since, as the product writes it to standard error."""
    root = logging.getLogger()
    kept, level = list(root.handlers), root.level
    configure({})
    stream = io.StringIO()
    [ours] = [handler for handler in root.handlers if getattr(handler, "sspr", False)]
    assert isinstance(ours, logging.StreamHandler)
    ours.setStream(stream)

    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]

    root.handlers[:] = kept
    root.setLevel(level)


def test_configuring_twice_writes_each_event_once(lines: Lines) -> None:
    before = sum(getattr(handler, "sspr", False) for handler in logging.getLogger().handlers)
    configure({})
    after = sum(getattr(handler, "sspr", False) for handler in logging.getLogger().handlers)

    assert before == after == 1


def test_an_event_is_one_line_with_level_logger_and_time(lines: Lines) -> None:
    logging.getLogger("tenants.test").warning("sealed %d events", 3)
    structlog.get_logger("resets.test").info("flow ended", state="done", tries=2)

    first, second = lines()
    assert first["event"] == "sealed 3 events"
    assert (first["level"], first["logger"]) == ("warning", "tenants.test")
    assert first["timestamp"].endswith("Z")
    assert (second["state"], second["tries"], second["logger"]) == ("done", 2, "resets.test")


@pytest.mark.parametrize("word", HIDDEN)
def test_a_field_that_can_hold_a_secret_is_hidden(word: str, lines: Lines) -> None:
    fields = {f"new_{word}": CANARY, word.upper(): CANARY.encode(), "state": "done"}
    structlog.get_logger("test").info("typed", **fields)

    [event] = lines()
    assert CANARY not in json.dumps(event)
    assert (event[f"new_{word}"], event["state"]) == ("hidden", "done")


def test_secrets_inside_other_values_are_hidden_too(lines: Lines) -> None:
    structlog.get_logger("test").info(
        "sent",
        data={"code": CANARY, "to": [{"answer_1": CANARY}, ("a", {"token": CANARY})], "step": 1},
        wrapped=Secret(CANARY),
    )

    [event] = lines()
    assert CANARY not in json.dumps(event)
    assert event["data"]["step"] == 1
    assert event["data"]["to"][0] == {"answer_1": "hidden"}


def fail(password: str) -> None:
    raise ValueError(f"no good: {password}")


def by_logging() -> None:
    try:
        fail(CANARY)
    except ValueError:
        logging.getLogger("test").exception("it failed")


def by_structlog() -> None:
    try:
        fail(CANARY)
    except ValueError:
        structlog.get_logger("test").exception("it failed")


def by_value() -> None:
    try:
        fail(CANARY)
    except ValueError as problem:
        structlog.get_logger("test").error("it failed", exc_info=problem)


def by_cause() -> None:
    try:
        try:
            fail(CANARY)
        except ValueError as problem:
            raise ValueError from problem
    except ValueError:
        logging.getLogger("test").exception("it failed", stack_info=True)


@pytest.mark.parametrize("log", [by_logging, by_structlog, by_value, by_cause])
def test_an_exception_is_told_by_type_and_place_and_not_by_its_words(
    log: Callable[[], None], lines: Lines
) -> None:
    log()

    [event] = lines()
    assert CANARY not in json.dumps(event)
    assert (event["event"], event["exception"]) == ("it failed", "ValueError")
    assert any(frame.startswith(f"{log.__name__}:") for frame in event["frames"])
    assert not {"exc_info", "stack_info", "stack"} & event.keys()


def test_only_the_innermost_places_are_told(lines: Lines) -> None:
    def descend(depth: int) -> None:
        if depth:
            descend(depth - 1)
        raise ValueError

    try:
        descend(50)
    except ValueError:
        logging.getLogger("test").exception("deep")

    [event] = lines()
    assert len(event["frames"]) == 12


def test_without_an_exception_there_is_none(lines: Lines) -> None:
    logging.getLogger("test").error("nothing raised", exc_info=True)  # noqa: LOG014 - on purpose
    structlog.get_logger("test").error("nothing raised", exc_info=True)
    structlog.get_logger("test").error("nothing raised", exc_info=False)

    assert all("exception" not in event for event in lines())


@pytest.mark.parametrize("text", ["a\nfake line", "\x1b[31mred", "a\r\nb", "\u2028", "\x00"])
def test_control_characters_do_not_make_lines_of_their_own(text: str, lines: Lines) -> None:
    logging.getLogger("test").warning("typed %s", text)

    [event] = lines()
    assert event["event"] == f"typed {text}"


def test_access_lines_of_the_development_server_are_not_written(lines: Lines) -> None:
    logging.getLogger("django.server").info("GET /?token=%s", CANARY)

    assert lines() == []
