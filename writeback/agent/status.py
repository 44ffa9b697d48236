"""What `sspr-agent status` says, for people and for machines."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from . import VERSION
from .board import STALE_AFTER, find_status
from .config import Config
from .identity import NotEnrolled, load_identity


def read_status(config: Config, now: int) -> dict[str, Any]:
    """Everything that is known without the running agent's help. `healthy`: it runs, the product
    takes its heartbeats, the directory answers, and the journal is believed."""
    found = _enrolment(config)
    facts = find_status(config.state) or {}
    found |= {name: facts.get(name) for name in FACTS}
    if facts.get("state") == "running" and now - facts.get("written", 0) > STALE_AFTER:
        found["state"] = "gone"
    found["state"] = found["state"] or "never_ran"
    found["version"] = facts.get("version", VERSION)
    wanted = {"state": "running", "product": "ok", "directory": "ok", "journal": "sound"}
    found["healthy"] = all(found[name] == value for name, value in wanted.items())
    return found


FACTS = (
    "state",
    "product",
    "problem",
    "heartbeat",
    "directory",
    "trouble",
    "server",
    "journal",
    "in_hand",
    "unsettled",
    "unreported",
    "recommended",
)
_STATES = {
    "running": "running",
    "stopped": "stopped",
    "gone": "not running: it ended without saying so",
    "never_ran": "never ran here",
}


def lines(status: Mapping[str, Any]) -> list[str]:
    """The same for people, with what to do about it."""
    found = [f"agent      {_STATES.get(status['state'], status['state'])}, {status['version']}"]
    if status["agent"] is None:
        return [*found, f"identity   {status['identity_problem']}"]
    found += [
        f"identity   {status['agent']} of organisation {status['tenant']}",
        f"words      {' '.join(status['words'])}",
        f"product    {status['address']}: {_product(status)}",
        f"directory  {_directory(status)}",
        f"journal    {status['journal'] or 'not looked at yet'}",
    ]
    if status["journal"] == "damaged":
        found.append("           nothing is set any more; stop it and enrol again with --replace")
    if status["unsettled"]:
        found.append(f"open       {status['unsettled']} changes whose end is not known yet")
    if status["unreported"]:
        found.append(f"waiting    {status['unreported']} results the product does not have yet")
    return found


def _enrolment(config: Config) -> dict[str, Any]:
    found: dict[str, Any] = {"address": config.product, "name": config.name}
    try:
        identity = load_identity(config.state)
    except NotEnrolled as problem:
        nothing = dict.fromkeys(("agent", "tenant", "group", "words"))
        return {**found, **nothing, "identity_problem": str(problem)}
    return {
        **found,
        "agent": str(identity.agent),
        "tenant": str(identity.tenant),
        "group": str(identity.group),
        "words": list(identity.words()),
        "identity_problem": "",
    }


def _product(status: Mapping[str, Any]) -> str:
    if status["problem"]:
        return str(status["problem"])
    if not status["heartbeat"]:
        return "not asked yet"
    last = datetime.fromtimestamp(status["heartbeat"], UTC)
    return f"knows this agent, last heartbeat {last:%F %T} UTC"


def _directory(status: Mapping[str, Any]) -> str:
    if not status["directory"]:
        return "not asked yet"
    server = f" ({status['server']})" if status["server"] else ""
    return f"{status['directory']} {status['trouble'] or ''}".strip() + server
