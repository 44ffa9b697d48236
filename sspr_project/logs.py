"""Logs: one JSON line an event, secrets hidden, control characters escaped (R-7)."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

HIDDEN = ("password", "code", "answer", "secret", "token", "seed", "key", "cookie", "altcha")


def hide_secrets(
    logger: object, name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Values under names that can hold a secret never reach a log, whoever logs them."""
    for field, value in event.items():
        event[field] = _shown(field, value)
    return event


def _shown(name: object, value: object) -> object:
    if any(word in str(name).lower() for word in HIDDEN):
        return "hidden"
    if isinstance(value, Mapping):
        return {key: _shown(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple) and name != "exc_info":
        return [_shown("", inner) for inner in value]
    return value


def drop_traceback_values(
    logger: object, name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """An exception is told by its type and place; its text could quote what somebody typed."""
    problem = _find_problem(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if problem is not None:
        event["exception"] = type(problem).__name__
        frames, trace = [], problem.__traceback__
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["frames"] = frames[-12:]
    return event


def _find_problem(info: object) -> BaseException | None:
    """The exception, however it was handed over: itself, sys.exc_info(), or "the one in hand"."""
    if isinstance(info, BaseException):
        return info
    found = info if isinstance(info, tuple) else sys.exc_info() if info else (None, None)
    return found[1] if isinstance(found[1], BaseException) else None


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: everything to standard error through one formatter."""
    chain: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=chain,
        processors=[
            drop_traceback_values,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    stream = logging.StreamHandler()
    stream.setFormatter(formatter)
    root = logging.getLogger()
    for old in list(root.handlers):
        if getattr(old, "sspr", False):
            root.removeHandler(old)
    stream.sspr = True  # type: ignore[attr-defined]  # marks our own, so that a second call replaces it
    root.addHandler(stream)
    root.setLevel(logging.INFO)
    # What was asked for stands in the access log of the server; paths may quote what was typed.
    logging.getLogger("django.server").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*chain, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
