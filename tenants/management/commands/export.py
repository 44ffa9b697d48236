"""`manage.py export TENANT`: the tenant's file back, secrets left out."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.config.engine import UnknownTenant, export_tenant


class Command(BaseCommand):
    help = "Prints a tenant's file, secrets left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", metavar="TENANT", help="the tenant's slug")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = export_tenant(options["tenant"])
        except UnknownTenant:
            raise CommandError("There is no tenant of that slug.") from None
        self.stdout.write(text, ending="")
