"""`manage.py work`: drains every queue without a broker."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from sspr_project.worker import Stop, run_once, run_until
from writeback.direct.work import DirectWork


class Command(BaseCommand):
    help = "Drain all queues, again and again; --once drains them one time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="drain one time, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        close_old_connections()
        if options["once"]:
            done = run_once() + DirectWork().once()
            self.stdout.write(f"done: {done}")
            return
        stop = Stop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop.ask)
        self.stdout.write("working; stop with Ctrl+C")
        # Directories that the product reaches itself have threads of their own: none of them ever
        # delays a mail.
        direct = DirectWork()
        direct.start()
        try:
            run_until(stop)
        finally:
            direct.stop()
