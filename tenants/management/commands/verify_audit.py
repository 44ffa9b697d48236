"""`manage.py verify_audit`: is the audit trail still what was written?"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from tenants.audit_chain import Checkpoint, Verification, verify
from tenants.context import tenant_context
from tenants.lookup import find_tenant, tenant_ids
from tenants.models import Tenant
from tenants.services import get_platform

BROKEN, UNUSABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Checks the audit trail of one tenant, or of all and the platform's own."
        " Exit status: 0 intact, 1 tampered with, 2 unknown tenant or unreadable checkpoints."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", nargs="?", help="slug of the tenant; all without it")
        parser.add_argument(
            "--checkpoint",
            metavar="FILE",
            type=Path,
            help="compare with checkpoints written earlier and kept outside the database",
        )
        parser.add_argument(
            "--write-checkpoint",
            metavar="FILE",
            type=Path,
            help="append where each intact trail stands now",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug: str | None = options["tenant"]
        known = read_checkpoints(options["checkpoint"]) if options["checkpoint"] else []
        everyone = [*tenant_ids(), get_platform()]
        chosen = everyone if slug is None else [get_tenant(slug, everyone)]
        reached = []
        broken = 0
        for tenant in chosen:
            name, found = verify_tenant(tenant, known)
            self.stdout.write(f"{name}: {summary(found)}")
            broken += not found.intact
            if found.intact and found.sealed:
                reached.append(Checkpoint(tenant, found.sealed, found.hash, timezone.now()))
        if slug is None:
            for tenant in sorted({each.tenant for each in known} - set(everyone)):
                self.stdout.write(f"{tenant}: first bad sequence number 1: the tenant is gone")
                broken += 1
        if options["write_checkpoint"]:
            write_checkpoints(options["write_checkpoint"], reached)
        if broken:
            raise CommandError(f"tampered audit trails: {broken}", returncode=BROKEN)


def get_tenant(slug: str, everyone: Iterable[UUID]) -> UUID:
    """The tenant with this slug, active or not, or the platform. Raises CommandError."""
    found = find_tenant(slug=slug) if slug else None
    if found is not None:
        return found
    for tenant in everyone:
        with tenant_context(tenant):
            if Tenant.objects.filter(slug=slug).exists():
                return tenant
    raise CommandError(f"there is no tenant called {slug!r}", returncode=UNUSABLE)


def verify_tenant(tenant: UUID, known: Iterable[Checkpoint]) -> tuple[str, Verification]:
    """What people call this tenant, and what was found."""
    with tenant_context(tenant):
        row = Tenant.objects.get()
        name = "(platform)" if row.platform else row.slug
        return name, verify(known)


def summary(found: Verification) -> str:
    if found.intact:
        return f"intact, {found.sealed} sealed, {found.unsealed} waiting for their seal"
    return f"first bad sequence number {found.first_bad}: {found.why}"


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """One checkpoint a line: {"tenant", "sequence", "hash", "time"}. Raises CommandError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the checkpoints can't be read: {type(error).__name__}"
        raise CommandError(message, returncode=UNUSABLE) from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(_checkpoint(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError):
            message = f"line {number} of {path.name} is not a checkpoint"
            raise CommandError(message, returncode=UNUSABLE) from None
    return found


def _checkpoint(content: dict[str, Any]) -> Checkpoint:
    return Checkpoint(
        tenant=UUID(content["tenant"]),
        sequence=int(content["sequence"]),
        hash=bytes.fromhex(content["hash"]),
        time=datetime.fromisoformat(content["time"]),
    )


def write_checkpoints(path: Path, reached: Sequence[Checkpoint]) -> None:
    """Adds lines to the file. Raises CommandError."""
    lines = [
        json.dumps(
            {
                "tenant": str(each.tenant),
                "sequence": each.sequence,
                "hash": each.hash.hex(),
                "time": each.time.isoformat(),
            }
        )
        for each in reached
    ]
    try:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        message = f"the checkpoints can't be written: {type(error).__name__}"
        raise CommandError(message, returncode=UNUSABLE) from None
