"""PURE. The file of what was not imported: the rows as they were, why, and what to do."""

import csv
import io
from collections.abc import Sequence

from .columns import REPORT_COLUMNS
from .neutral import neutralised
from .plan import RowPlan

KEPT = "{column}: what is on file is confirmed, so it was kept."
KEPT_FIX = "Import this row again with “Replace confirmed contacts”, or leave it."


class Report:
    """Grows row by row; rows without a problem and without a kept contact leave no line."""

    def __init__(self, headings: Sequence[str]) -> None:
        self._headings = [name for name in headings if name not in REPORT_COLUMNS]
        self._places = [at for at, name in enumerate(headings) if name not in REPORT_COLUMNS]
        self._bytes = io.BytesIO()
        # With a byte order mark spreadsheets read UTF-8 as such.
        self._text = io.TextIOWrapper(self._bytes, "utf-8-sig", newline="", errors="replace")
        self._writer = csv.writer(self._text)
        self._writer.writerow([*self._headings, *REPORT_COLUMNS])
        self.lines = 0

    def add(self, plan: RowPlan) -> None:
        if not plan.problems and not plan.kept:
            return
        self.lines += 1
        errors = [
            f"{each.column}: {each.message}" if each.column else each.message
            for each in plan.problems
        ] + [KEPT.format(column=change.column) for change in plan.kept]
        fixes = [each.suggestion for each in plan.problems] + ([KEPT_FIX] if plan.kept else [])
        cells = [plan.cells[at] if at < len(plan.cells) else "" for at in self._places]
        row = [*cells, " ".join(errors), " ".join(dict.fromkeys(fixes))]
        self._writer.writerow([neutralised(cell) for cell in row])

    def content(self) -> bytes:
        self._text.flush()
        return self._bytes.getvalue()
