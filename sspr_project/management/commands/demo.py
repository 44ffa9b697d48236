"""`manage.py demo`: the product with made-up people, from nothing, on this computer."""

import os
import signal
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import is_valid_path
from django.utils import timezone

from sspr_project.demo.environment import demo_environment
from sspr_project.demo.folder import DemoRuns, empty, held
from sspr_project.demo.operators import make_missing
from sspr_project.demo.organisations import apply_missing
from sspr_project.demo.server import PortTaken, open_server, serve
from sspr_project.demo.tour import tour
from sspr_project.worker import Stop


def port_number(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise ArgumentTypeError("use a port from 1 to 65535")


class Command(BaseCommand):
    help = "Make the demo's database, load its organisations and serve them on this computer."
    # They would look at the database of an installation, which the demo never opens.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port_number, default=8000)
        parser.add_argument("--no-serve", action="store_true", help="prepare everything, then end")
        parser.add_argument("--reset", action="store_true", help="forget what was changed")
        parser.add_argument("--folder", help="where its data stands; var/demo if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["folder"] or settings.BASE_DIR / "var" / "demo").resolve()
        environment = demo_environment(os.environ, folder, options["port"])
        if environment != dict(os.environ):
            _start_again(environment, options)
        try:
            with held(folder, settings.SSPR_BASE_URL):
                self._run(folder, options)
        except DemoRuns as other:
            problem = f"The demo is running already: {other}. Stop that one first."
            raise CommandError(problem) from None
        except PortTaken:
            port = options["port"]
            problem = f"Port {port} is in use. Choose another: make demo PORT={port + 1}"
            raise CommandError(problem) from None
        except PermissionError as refusal:
            problem = f"Not allowed: {refusal.filename or 'this port'}. Choose another."
            raise CommandError(problem) from None

    def _run(self, folder: Path, options: dict[str, Any]) -> None:
        stop = Stop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop.ask)
        if options["no_serve"]:
            self._prepare(folder, reset=options["reset"])
            self.stdout.write("The demo is ready.")
            return
        with open_server(options["port"]) as server:
            self._prepare(folder, reset=options["reset"])
            administration = bool(is_valid_path("/admin/"))
            lines = tour(settings.SSPR_BASE_URL, options["port"], administration=administration)
            self.stdout.write("\n" + "\n".join(lines) + "\n")
            self.stdout.flush()
            serve(server, stop)
        self.stdout.write("The demo has stopped.")

    def _prepare(self, folder: Path, *, reset: bool) -> None:
        if reset:
            empty(folder)
        call_command("migrate", verbosity=0)
        apply_missing()
        make_missing(timezone.now())


def _start_again(environment: dict[str, str], options: dict[str, Any]) -> NoReturn:
    """The same command in the demo's environment, in place of this process."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo"]
    command += ["--port", str(options["port"])]
    command += [f"--{name.replace('_', '-')}" for name in ("no_serve", "reset") if options[name]]
    command += ["--folder", options["folder"]] if options["folder"] else []
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)  # noqa: S606 - our own command, no shell
