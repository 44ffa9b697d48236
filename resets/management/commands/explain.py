"""`manage.py explain USER_ID`: what would happen if this user tried to reset now."""

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from resets.explain import SeveralTenants, explain
from tenants.lookup import find_tenant


class Command(BaseCommand):
    help = "Explain what would happen if this user tried to reset the password now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user_id")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--at", metavar="TIME", help="as if it were that time (ISO 8601)")
        parser.add_argument("--tenant", metavar="SLUG", help="look in this tenant only")

    def handle(self, *args: Any, **options: Any) -> None:
        now = _moment(options["at"]) if options["at"] else timezone.now()
        tenant = None
        if options["tenant"]:
            tenant = find_tenant(slug=options["tenant"])
            if tenant is None:
                raise CommandError(f"there is no tenant {options['tenant']}", returncode=2)
        try:
            answer = explain(options["user_id"], tenant=tenant, now=now)
        except SeveralTenants as error:
            raise CommandError(
                f"several tenants know this guest; add --tenant with one of: {error}", returncode=2
            ) from None
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        for name, value in answer.items():
            shown = ", ".join(value) if isinstance(value, list) else value
            self.stdout.write(f"{name:15} {'-' if shown in (None, '') else shown}")


def _moment(text: str) -> datetime:
    found = None
    try:
        found = parse_datetime(text)
        if found is None:
            day = parse_date(text)
            found = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
    except ValueError:
        found = None
    if found is None:
        raise CommandError("--at takes a time such as 2026-11-20T14:00:00Z", returncode=2)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
