"""CSV files that say whose directory account is where, and what is on file afterwards."""

from collections.abc import Mapping
from typing import Any

from accounts.imports.formats import open_file
from accounts.imports.runs import Confirmed, Declared, Looked, check, confirm, look
from accounts.models import User
from tests.accounts.imports.files import ALL, NOW, csv_of, importer
from tests.cast import Acme
from writeback.models import DirectoryLink
from writeback.sealing import is_linked

EVE, BOB, ALICE = "eve@acme.example", "bob@acme.example", "alice@acme.example"
EVE_ANCHOR = "0c5e0e5c-8f0d-4c39-8e8f-3f1d1f1c9b12"
HEADING = "user_id,directory,directory_id,source"


def file(*rows: str, heading: str = HEADING) -> bytes:
    return csv_of(*rows, heading=heading)


def applied(acme: Acme, content: bytes, declared: Declared = ALL) -> Confirmed:
    run = check(content, "people.csv", declared, importer(acme), NOW)
    return confirm(run.pk, declared.mode, importer(acme), NOW)


def looked_at(acme: Acme, content: bytes, **who: Any) -> Looked:
    return look(open_file(content), ALL.options(importer(acme, **who)))


def problems(acme: Acme, content: bytes, **who: Any) -> list[Mapping[str, str]]:
    samples = looked_at(acme, content, **who).summary.samples.get("problem", [])
    return [problem for each in samples for problem in each["problems"]]


def links() -> dict[str, tuple[str, str]]:
    """User ID → directory and permanent id, in the tenant in force; each with a good seal."""
    rows = list(DirectoryLink.objects.select_related("user", "connector"))
    assert all(is_linked(row) for row in rows)
    return {row.user.user_id: (row.connector.name, row.anchor) for row in rows}


def source_of(user: User) -> str:
    user.refresh_from_db()
    return user.source
