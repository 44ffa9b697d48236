"""What an agent sends, field by field: nothing more, nothing less, nothing else (R-8)."""

import base64
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from .. import reports
from ..protocol import MAX_BEGUN
from ..reports import Report
from ..services.enrolment import Newcomer
from ..services.heartbeats import (
    DIRECTORY_STATES,
    MAX_KEYS,
    TROUBLES,
    Heartbeat,
    OfferedKey,
)

PROTOCOL = 1
MAX_NAME = 100
MAX_VERSION = 20
MAX_WAIT = 25


class BadBody(ValueError):
    """No body that this call takes."""


class OtherProtocol(ValueError):
    """The agent speaks a protocol that is no longer, or not yet, spoken here."""


def fields(body: bytes, names: set[str], maybe: Set[str] = frozenset()) -> Mapping[str, Any]:
    """The object in the body, with these fields, perhaps some of `maybe`, and no other. Raises
    BadBody."""
    try:
        found = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise BadBody("not JSON") from None
    if not isinstance(found, dict) or not names <= set(found) <= names | maybe:
        raise BadBody("fields")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field twice")
    return found


def newcomer(body: bytes) -> Newcomer:
    found = fields(body, {"code", "identity", "name", "version", "protocol"})
    _check_protocol(found["protocol"])
    return Newcomer(
        code=_text(found["code"], 100),
        identity=_bytes(found["identity"], 32),
        name=_text(found["name"], MAX_NAME),
        version=_text(found["version"], MAX_VERSION),
    )


def heartbeat(body: bytes) -> Heartbeat:
    names = {"version", "protocol", "keys", "directory", "rules", "sequence", "journal", "begun"}
    found = fields(body, names)
    _check_protocol(found["protocol"])
    keys, directory = found["keys"], found["directory"]
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise BadBody("keys")
    if not isinstance(directory, dict) or set(directory) != {"state", "trouble"}:
        raise BadBody("directory")
    if directory["state"] not in DIRECTORY_STATES or directory["trouble"] not in TROUBLES:
        raise BadBody("directory")
    if found["journal"] not in {"sound", "damaged"}:
        raise BadBody("journal")
    try:
        rules = reports.rules_read(found["rules"])
    except reports.NotAReport:
        raise BadBody("rules") from None
    return Heartbeat(
        version=_text(found["version"], MAX_VERSION),
        keys=[_key(key) for key in keys],
        directory=directory["state"],
        trouble=directory["trouble"],
        rules=rules,
        sequence=_number(found["sequence"], 2**62),
        journal_sound=found["journal"] == "sound",
        begun=_jobs(found["begun"]),
    )


def wait(body: bytes) -> int:
    return _number(fields(body, {"wait"})["wait"], MAX_WAIT + 1)


@dataclass(frozen=True)
class Result:
    """asks: whether there is room for the next job, which then comes with the answer."""

    fence: int
    report: Report
    asks: bool


def result(body: bytes) -> Result:
    found = fields(body, {"fence", "report"}, maybe={"next"})
    try:
        report = reports.read(found["report"])
    except reports.NotAReport:
        raise BadBody("report") from None
    asks = found.get("next", False)
    if not isinstance(asks, bool):
        raise BadBody("next")
    return Result(_number(found["fence"], 2**31), report, asks)


def _jobs(found: object) -> frozenset[UUID] | None:
    if found is None:
        return None
    if not isinstance(found, list) or len(found) > MAX_BEGUN:
        raise BadBody("begun")
    try:
        return frozenset(UUID(each) for each in found)
    except (ValueError, AttributeError, TypeError):
        raise BadBody("begun") from None


def _check_protocol(value: object) -> None:
    if value != PROTOCOL or isinstance(value, bool):
        raise OtherProtocol


def _key(found: object) -> OfferedKey:
    if not isinstance(found, dict) or set(found) != {"key", "begins", "ends", "signature"}:
        raise BadBody("key")
    return OfferedKey(
        key=_bytes(found["key"], 32),
        begins=_moment(found["begins"]),
        ends=_moment(found["ends"]),
        signature=_bytes(found["signature"], 64),
    )


def _moment(value: object) -> datetime:
    return datetime.fromtimestamp(_number(value, 2**36), UTC)


def _number(value: object, end: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < end:
        raise BadBody("number")
    return value


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
        raise BadBody("text")
    if not value.isprintable():
        raise BadBody("text")
    return value.strip()


def _bytes(value: object, length: int) -> bytes:
    try:
        found = base64.b64decode(str(value), validate=True)
    except ValueError:
        raise BadBody("base64") from None
    if len(found) != length:
        raise BadBody("length")
    return found
