"""The library's side of an import: django-import-export drives the administration, not the data.

What of it is used: `ImportMixin` with its hooks (form, permission, choice of the resource, kwargs)
around `Resource`, whose fields are the columns, whose `export` writes the sample, and whose
`import_data` is the one door of both steps. What is not, because with it the result would be worse:

- its `import_data` looks each row up by itself and writes it by itself, and its instance loader
  keys on one column, which can't be (tenant, user ID); here rows are planned and written a thousand
  at a time;
- its preview imports everything into a transaction that is taken back, and then imports it again;
  here the preview writes nothing, and confirming plans once more on what is on file by then;
- its storages between the steps leave the file in plain text in a folder or a cache; here it is in
  a row of the tenant, sealed;
- its datasets hold the whole file as objects; here rows come one after the other;
- its guard against formulas takes a leading `=` away and knows no other sign;
- its templates need scripts; its app would add commands called `import` and `export` that know no
  tenant, so it is not among the installed apps.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from import_export.fields import Field
from import_export.formats.base_formats import CSV
from import_export.resources import Resource
from import_export.results import Result, RowResult

from ..models import ImportRun
from .columns import COLUMNS
from .neutral import neutralised
from .plan import Outcome
from .runs import Confirmed, Declared, Importer, check, confirm

_TOTALS = {
    Outcome.NEW: RowResult.IMPORT_TYPE_NEW,
    Outcome.CHANGE: RowResult.IMPORT_TYPE_UPDATE,
    Outcome.SAME: RowResult.IMPORT_TYPE_SKIP,
    Outcome.KEPT: RowResult.IMPORT_TYPE_SKIP,
    Outcome.PROBLEM: RowResult.IMPORT_TYPE_INVALID,
}


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes = field(repr=False)


class EnrolmentResult(Result):
    """Totals under the library's names; `confirmed` says what became of a confirmation."""

    def __init__(self, run: ImportRun, confirmed: Confirmed | None = None) -> None:
        super().__init__()
        self.run, self.confirmed = run, confirmed
        self.total_rows = run.counts["rows"]
        for outcome, total in _TOTALS.items():
            self.totals[total] += run.counts[outcome]


class EnrolmentResource(Resource):
    """Pre-enrolment of people who are here already."""

    def __init__(self, *, who: Importer, declared: Declared, now: datetime, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.who, self.declared, self.now = who, declared, now
        for key in COLUMNS:
            self.fields[key] = Field(attribute=key, column_name=key)

    def import_data(
        self, dataset: Upload | uuid.UUID, dry_run: bool = False, **kwargs: Any
    ) -> EnrolmentResult:
        """With `dry_run` an upload is looked at and kept; without it the run with this id is
        applied. Raises FileRefused, ImportRun.DoesNotExist."""
        if isinstance(dataset, Upload):
            if not dry_run:
                raise ValueError("an upload is looked at before it is applied")
            run = check(dataset.content, dataset.name, self.declared, self.who, self.now)
            return EnrolmentResult(run)
        confirmed = confirm(dataset, self.declared.mode, self.who, self.now)
        return EnrolmentResult(confirmed.run, confirmed)

    def export_field(self, field: Any, instance: Mapping[str, str], **kwargs: Any) -> str:
        return neutralised(instance.get(field.column_name, ""))

    def get_export_order(self) -> list[str]:
        return list(COLUMNS)

    get_import_order = get_export_order

    def as_csv(self, rows: Iterable[Mapping[str, str]]) -> bytes:
        """A file of these rows, column → value, as spreadsheets read it."""
        text: str = CSV().export_data(self.export(queryset=list(rows)))
        return text.encode("utf-8-sig")


def sample(resource: EnrolmentResource) -> bytes:
    """A file with one row of examples."""
    return resource.as_csv([{key: column.example for key, column in COLUMNS.items()}])
