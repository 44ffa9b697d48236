"""`manage.py signer`: signs jobs for agents, in a process of its own with a key of its own."""

import base64
import signal
import threading
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from tenants import bell
from writeback import keys
from writeback.services import signing

log = structlog.get_logger(__name__)
LOOKS_EVERY = 1.0
RESTS_AFTER_FAULT = 2.0


class Command(BaseCommand):
    help = (
        "Sign jobs for agents, again and again; --once signs what waits and ends. --new-key prints"
        " a new pair of keys and ends. --name-successor prints what has agents that are enrolled"
        " believe another key, too, and ends."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="sign what waits, then end")
        parser.add_argument("--new-key", action="store_true", help="print a new pair of keys")
        parser.add_argument(
            "--name-successor", metavar="KEY", help="a public key that shall sign after this one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new_key"]:
            self._print_new_key()
            return
        key = keys.find_signer_key()
        if key is None:
            raise CommandError(
                "SSPR_SIGNER_KEY is not set; manage.py signer --new-key makes one, for this"
                " process alone"
            )
        if options["name_successor"]:
            self._name_successor(key, options["name_successor"])
            return
        if options["once"]:
            self.stdout.write(f"judged: {signing.drain(key, timezone.now())}")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("signing; stop with Ctrl+C")
        _sign_until(stop, key)

    def _print_new_key(self) -> None:
        key = Ed25519PrivateKey.generate()
        private = base64.b64encode(key.private_bytes_raw()).decode()
        self.stdout.write(f"SSPR_SIGNER_KEY={private}")
        self.stdout.write(f"SSPR_SIGNER_PUBLIC_KEYS={keys.written(key.public_key())}")

    def _name_successor(self, key: Ed25519PrivateKey, text: str) -> None:
        try:
            successor = Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
        except ValueError:
            raise CommandError(
                "this is no public key; manage.py signer --new-key makes a pair"
            ) from None
        if successor == key.public_key():
            raise CommandError("this is the key that signs now; name the one that comes after it")
        self.stdout.write(f"SSPR_SIGNER_SUCCESSORS={keys.name_successor(key, successor)}")


def _sign_until(stop: threading.Event, key: Ed25519PrivateKey) -> None:
    """Signs at every bell, and looks without one each second: a bell may be missed."""

    def look() -> bool | None:
        return True if signing.drain(key, timezone.now()) or stop.is_set() else None

    while not stop.is_set():
        try:
            close_old_connections()
            bell.wait_for(bell.UNSIGNED, look, LOOKS_EVERY)
        except DatabaseError as error:
            log.error("signer_waits", cause=type(error).__name__)
            close_old_connections()
            stop.wait(RESTS_AFTER_FAULT)
