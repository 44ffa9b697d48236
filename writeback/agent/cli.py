"""`sspr-agent`: enrol, run, status.

Exit codes: 0 done or healthy, 1 not, 2 wrong arguments; of `run` 3 when the product does not want
this agent any more, 4 when the agent is too old.
"""

import argparse
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from ..connectors.base import Directory, Unreachable
from ..connectors.registry import make_directory
from . import VERSION
from .config import Config, ConfigError, read_config
from .enrolment import LONGEST_CODE, NotPossible, enrol
from .files import NotPrivate
from .identity import NotEnrolled, load_identity
from .journal import JournalInUse
from .pace import Ending
from .run import Agent
from .status import lines, read_status

DEFAULT_CONFIG = "/etc/sspr-agent/agent.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    parsed = _parser().parse_args(arguments)
    os.umask(0o077)
    with suppress(OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        config = read_config(parsed.config)
        if parsed.command == "enrol":
            return _enrol(config, parsed.code_file, parsed.replace)
        if parsed.command == "run":
            return _run(config)
        return _status(config, parsed.json)
    except (ConfigError, NotEnrolled, NotPossible) as problem:
        print(f"sspr-agent: {problem}", file=sys.stderr)
    except JournalInUse:
        print(f"sspr-agent: another agent runs on {config.state}", file=sys.stderr)
    except NotPrivate as path:
        print(f"sspr-agent: {path}: others can read this file; chmod 600 {path}", file=sys.stderr)
    except OSError as error:
        print(f"sspr-agent: {error}", file=sys.stderr)
    return 1


def _enrol(config: Config, code_file: Path | None, replace: bool) -> int:
    """The code comes from a file or from standard input, never as an argument that others see."""
    if code_file is not None:
        code = code_file.read_text(encoding="utf-8")
    else:
        if sys.stdin.isatty():
            print("Code from the administration: ", end="", file=sys.stderr, flush=True)
        code = sys.stdin.readline(LONGEST_CODE + 2)
    identity = enrol(config, code.strip(), _now, replace)
    print(f"Enrolled as {identity.agent}.")
    print("Compare these six words with those in the administration, and confirm them there:")
    print(f"\n    {' '.join(identity.words())}\n")
    print("Then start the agent; until they are confirmed it waits.")
    return 0


def _run(config: Config) -> int:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    for name in ("httpx", "httpcore", "ldap3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    identity = load_identity(config.state)
    directory = _made_directory(config)
    # Waited for by a thread: a handler could run in the middle of the lock it wants to take.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    ending = Ending()
    agent = Agent(config, identity, directory, ending)

    def wait_for_signal() -> None:
        signal.sigwait(signals)
        ending.ask()

    Thread(target=wait_for_signal, daemon=True).start()
    return agent.run()


def _made_directory(config: Config) -> Directory:
    """The secret is read once here, so that a wrong file stops the start, and again whenever the
    directory is asked, so that a new one needs no restart. Raises ConfigError."""
    config.get_secret()

    def secret() -> str:
        try:
            return config.get_secret()
        except ConfigError as problem:
            raise Unreachable("configuration", str(problem)) from None

    try:
        return make_directory(config.kind, config.settings, secret)
    except LookupError:
        raise ConfigError(f"directory.kind: there is no connector {config.kind!r}") from None
    except ValueError as error:
        raise ConfigError(f"directory.settings: {error}") from None


def _status(config: Config, as_json: bool) -> int:
    status = read_status(config, int(_now().timestamp()))
    print(json.dumps(status, indent=2) if as_json else "\n".join(lines(status)))
    return 0 if status["healthy"] else 1


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the edge where time comes in


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sspr-agent",
        description="Changes passwords in your own directory, when your people reset them.",
    )
    parser.add_argument("--version", action="version", version=f"sspr-agent {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("enrol", "make this agent known, with a code from the administration"),
        ("run", "work until asked to end"),
        ("status", "say how it is; exit 0 when all is well"),
    ):
        command = commands.add_parser(name, help=what, description=what.capitalize() + ".")
        command.add_argument(
            "--config", type=Path, default=Path(DEFAULT_CONFIG), help=f"default {DEFAULT_CONFIG}"
        )
        if name == "enrol":
            command.add_argument(
                "--code-file", type=Path, help="holds the code; else it is read from standard input"
            )
            command.add_argument(
                "--replace", action="store_true", help="in place of the identity that is here"
            )
        if name == "status":
            command.add_argument("--json", action="store_true", help="for machines")
    return parser
