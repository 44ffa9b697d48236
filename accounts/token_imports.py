"""A file of tokens from the first look to its end: checked, then applied or discarded.

It is kept like every file on its way in (`models.ImportRun`): sealed, for an hour at most. What is
in the inventory already stays as it is.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenants import audit
from tenants.audit import Party
from tenants.keys import tenant_keys

from .imports.neutral import neutralised
from .models import Credential, ImportRun, User, credential_lookup
from .token_files import GivenKey, GivenToken, TokenRow, read_tokens
from .tokens import METHOD as TOKENS
from .yubikeys import METHOD as YUBIKEYS
from .yubikeys import Inside

FORMAT = "tokens"
KEPT_FOR = timedelta(hours=1)
CHUNK = 500


@dataclass(frozen=True)
class PlannedToken:
    """A row and what becomes of it: new, there (already), problem."""

    row: TokenRow
    outcome: str


def check(content: bytes, name: str, *, by: Party, actor: User | None, now: datetime) -> ImportRun:
    """Looks at a file and keeps it sealed until it is applied. Raises FileRefused."""
    planned = plan(read_tokens(content))
    shown = "".join(sign for sign in name if sign.isprintable())
    run = ImportRun(
        actor=actor,
        actor_label=by.label[:120],
        file_name=neutralised(shown.replace("\\", "/").rpartition("/")[2])[:120] or "file.csv",
        file_key=tenant_keys().mac("import file", hashlib.sha256(content).hexdigest()),
        format=FORMAT,
        mode=ImportRun.Mode.ROWS,
        counts=counts_of(planned),
        created_at=now,
    )
    run.seal("file", content)
    run.save(force_insert=True)
    return run


def plan(rows: Sequence[TokenRow]) -> list[PlannedToken]:
    """What would become of each row. Writes nothing."""
    lookups = {_lookup_of(row.given): row for row in rows if row.given is not None}
    there: set[bytes] = set()
    wanted = list(lookups)
    for start in range(0, len(wanted), CHUNK):
        found = Credential.objects.filter(
            method__in=(TOKENS, YUBIKEYS), lookup__in=wanted[start : start + CHUNK]
        )
        there.update(bytes(lookup) for lookup in found.values_list("lookup", flat=True))
    return [PlannedToken(row, _outcome(row, there)) for row in rows]


def counts_of(planned: Sequence[PlannedToken]) -> dict[str, int]:
    found = {"rows": len(planned), "new": 0, "there": 0, "problem": 0}
    for each in planned:
        found[each.outcome] += 1
    return found


def find_run(run_id: uuid.UUID, *, lock: bool = False) -> ImportRun | None:
    """The run of a file of tokens; another kind of file is none."""
    rows = ImportRun.objects.filter(pk=run_id, format=FORMAT)
    run: ImportRun | None = (rows.select_for_update() if lock else rows).first()
    return run


def planned_of(run: ImportRun, now: datetime) -> list[PlannedToken] | None:
    """What the run would do now; nothing when it is over."""
    if run.state != ImportRun.State.CHECKED or now >= run.created_at + KEPT_FOR:
        return None
    kept = run.find("file")
    return plan(read_tokens(kept.reveal())) if kept is not None else None


def apply_run(run_id: uuid.UUID, *, by: Party, now: datetime) -> int | None:
    """Adds the new tokens of the file to the inventory, once; how many, or nothing when the run is
    over."""
    run = find_run(run_id, lock=True)
    planned = planned_of(run, now) if run is not None else None
    if run is None or planned is None:
        return None
    new = [
        _credential(each.row.given, now)
        for each in planned
        if each.outcome == "new" and each.row.given is not None
    ]
    # Another file with the same token may be on its way: the first one wins.
    Credential.objects.bulk_create(new, batch_size=CHUNK, ignore_conflicts=True)
    run.counts = counts_of(planned)
    run.state, run.finished_at = ImportRun.State.APPLIED, now
    run.forget("file")
    run.save()
    data = {"rows": len(planned), "added": len(new), "kept": run.counts["there"]}
    audit.record("tokens.added", actor=by, data=data, correlation_id=run.pk, now=now)
    return len(new)


def discard_run(run_id: uuid.UUID, *, by: Party, now: datetime) -> bool:
    """Ends a run that was only checked, and removes its file."""
    run = find_run(run_id, lock=True)
    if run is None or run.state != ImportRun.State.CHECKED:
        return False
    run.state, run.finished_at = ImportRun.State.DISCARDED, now
    run.forget("file")
    run.save()
    rows = run.counts.get("rows", 0)
    audit.record("import.discarded", actor=by, data={"rows": rows}, correlation_id=run.pk, now=now)
    return True


def _outcome(row: TokenRow, there: set[bytes]) -> str:
    if row.given is None:
        return "problem"
    return "there" if _lookup_of(row.given) in there else "new"


def _lookup_of(given: GivenToken | GivenKey) -> bytes:
    method = YUBIKEYS if isinstance(given, GivenKey) else TOKENS
    return credential_lookup(method, given.name)


def _credential(given: GivenToken | GivenKey, now: datetime) -> Credential:
    row = Credential(name=given.name, lookup=_lookup_of(given), created_at=now)
    if isinstance(given, GivenKey):
        row.method = YUBIKEYS
        row.write(Inside(given.key, given.private_id).to_json())
    else:
        row.method, row.counter = TOKENS, given.last
        row.write(given.token.to_json())
    return row
