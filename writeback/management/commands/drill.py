"""`manage.py drill TENANT CONNECTOR`: resets the account that is kept for it, now."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from tenants.bell import wait_for
from tenants.context import tenant_context
from tenants.lookup import find_tenant
from writeback.models import Connector, Drill
from writeback.services.drills import LASTS, PASSED, start
from writeback.services.states import WORKING, standings


class Command(BaseCommand):
    help = (
        "Reset the account for drills of a directory and sign in with the new password; exit 1"
        " where that does not work. The worker, the signer and an agent have to run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", metavar="TENANT", help="the tenant's slug")
        parser.add_argument("connector", metavar="CONNECTOR", help="the name of the directory")
        parser.add_argument("--no-wait", action="store_true", help="start it and end")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(slug=options["tenant"])
        if tenant is None:
            raise CommandError(f"there is no tenant {options['tenant']}", returncode=2)
        drill = _started(tenant, options["connector"])
        if options["no_wait"]:
            self.stdout.write("started")
            return
        outcome = wait_for(drill.pk, lambda: _find_outcome(tenant, drill), LASTS.total_seconds())
        if outcome != PASSED:
            raise CommandError(f"failed: {outcome or 'no_answer'}")
        self.stdout.write(outcome)


def _started(tenant: UUID, name: str) -> Drill:
    """Raises CommandError where none can begin."""
    now = timezone.now()
    with tenant_context(tenant):
        found = next((each for each in standings(now) if each.connector.name == name), None)
        if found is None:
            raise CommandError(f"there is no directory {name}", returncode=2)
        if not found.connector.canary:
            raise CommandError("this directory has no account for drills", returncode=2)
        if found.state not in WORKING:
            raise CommandError(f"the directory can't be reached now: {found.state}")
        drill = start(found.connector.pk, now)
    if drill is None:
        raise CommandError(
            "not started: a drill is running, the directory is switched off, or its account for"
            " drills was not named here or is a person's"
        )
    return drill


def _find_outcome(tenant: UUID, drill: Drill) -> str | None:
    """Nothing while it runs."""
    with tenant_context(tenant):
        if Drill.objects.filter(pk=drill.pk).exists():
            return None
        connector: Connector = Connector.objects.get(pk=drill.connector_id)
        return connector.drill_outcome
