"""`manage.py create_operator USER_ID`: somebody who may use the operator site.

The password comes on standard input, so that it stands in no process list and no shell history.
"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.operators import (
    OperatorRefused,
    create_operator,
    disable_operator,
    enrol_app,
    replace_password,
)
from tenants.secret import Secret


class Command(BaseCommand):
    help = "Make an operator of the installation, with the password from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user_id", metavar="USER_ID", help="like olga@ops.example")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--replace-password", action="store_true", help="the operator is there already"
        )
        what.add_argument(
            "--new-app", action="store_true", help="another authenticator app, the old one is lost"
        )
        what.add_argument("--disable", action="store_true", help="keep the operator out")

    def handle(self, *args: Any, **options: Any) -> None:
        user_id, now = options["user_id"], timezone.now()
        try:
            if options["disable"]:
                disable_operator(user_id, now=now)
                self.stdout.write("disabled")
            elif options["replace_password"]:
                replace_password(user_id, _read_password(), now=now)
                self.stdout.write("password replaced")
            elif options["new_app"]:
                self._show_app(enrol_app(user_id, now=now))
            else:
                create_operator(user_id, _read_password(), now=now)
                self.stdout.write("created; signs in at /operator/")
                self._show_app(enrol_app(user_id, now=now))
        except OperatorRefused as refused:
            raise CommandError("\n".join(refused.reasons)) from None

    def _show_app(self, key: Secret[str]) -> None:
        """Shown once, to whoever made the operator: it goes into an authenticator app."""
        self.stdout.write(f"authenticator app, set up key (shown once): {key.reveal()}")


def _read_password() -> Secret[str]:
    """Everything up to the line end; the line end itself is not part of it."""
    data = sys.stdin.buffer.readline() if hasattr(sys.stdin, "buffer") else sys.stdin.readline()
    try:
        text = data.decode() if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        raise CommandError("the password has to be UTF-8") from None
    return Secret(text.removesuffix("\n").removesuffix("\r"))
