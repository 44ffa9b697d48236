"""Logs: one JSON line an event, secrets hidden, control characters escaped (R-7)."""

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

HIDDEN = ("password", "code", "answer", "secret", "token", "seed", "key", "cookie", "altcha")


def hide_secrets(
    logger: object, name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Values under names that can hold a secret never reach a log, whoever logs them."""
    for field in event:
        if any(word in field.lower() for word in HIDDEN):
            event[field] = "hidden"
    return event


def drop_traceback_values(
    logger: object, name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """An exception is told by its type and place; its text could quote what somebody typed."""
    record = event.get("_record")
    info = getattr(record, "exc_info", None)
    if info and info[1] is not None:
        event["exception"] = type(info[1]).__name__
        trace = info[2]
        frames = []
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["frames"] = frames[-12:]
        record.exc_info = None
        record.exc_text = None
    event.pop("exc_info", None)
    return event


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
