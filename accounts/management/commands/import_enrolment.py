"""`manage.py import_enrolment TENANT FILE.csv`: contacts in bulk, of people who are here."""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.imports.formats import FORMATS, MAX_BYTES, FileRefused, open_file
from accounts.imports.plan import Outcome
from accounts.imports.report import Report
from accounts.imports.runs import Declared, Importer, Looked, Written, import_file, look
from accounts.imports.summary import Summary
from accounts.models import ImportRun
from tenants.config.document import OPERATOR
from tenants.context import tenant_context
from tenants.lookup import find_tenant

REFUSED, WOULD_CHANGE = 1, 2
OVERTAKEN = "Nothing was imported: what is on file changed meanwhile. Import the file again."
WHO = Importer(OPERATOR, None, administrators=True, denied=frozenset())


class Command(BaseCommand):
    help = (
        "Imports contacts of people from a CSV file. Exit 0: done or nothing to do; "
        "1: the file or some of its rows were refused; 2: a dry run with changes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", metavar="TENANT", help="slug of the organisation")
        parser.add_argument("file", metavar="FILE.csv")
        parser.add_argument("--format", choices=FORMATS, default="auto")
        parser.add_argument("--dry-run", action="store_true", help="look at it, change nothing")
        parser.add_argument("--errors", metavar="OUT.csv", help="write what is not imported there")
        parser.add_argument(
            "--mode",
            choices=ImportRun.Mode.values,
            default=ImportRun.Mode.ALL.value,
            help="all: only if every row is right (default); rows: the rows that are right",
        )
        parser.add_argument(
            "--replace-confirmed", action="store_true", help="replace confirmed contacts, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            looked = self._run(options)
        except FileRefused as refused:
            self.stderr.write(f"{options['file']}: {refused} Nothing was imported.")
            sys.exit(REFUSED)
        if options["errors"]:
            write_private(Path(options["errors"]), looked.report)
        summary, dry_run = looked.summary, options["dry_run"]
        self._tell(options["file"], summary)
        done = isinstance(looked, Written) and not looked.why
        overtaken = isinstance(looked, Written) and looked.why == "changed"
        self.stdout.write(OVERTAKEN if overtaken else _ending(summary, done=done, dry_run=dry_run))
        if summary.problems or overtaken:
            sys.exit(REFUSED)
        if dry_run and summary.to_write:
            sys.exit(WOULD_CHANGE)

    def _run(self, options: dict[str, Any]) -> Looked:
        tenant = find_tenant(slug=options["tenant"]) if options["tenant"] else None
        if tenant is None:
            raise FileRefused("no_tenant", f"There is no tenant called {options['tenant']}.")
        declared = Declared(options["format"], options["mode"], options["replace_confirmed"])
        content = read_file(Path(options["file"]))
        with tenant_context(tenant):
            if options["dry_run"]:
                return look(open_file(content, declared.format), declared.options(WHO))
            name = Path(options["file"]).name
            return import_file(content, name, declared, WHO, timezone.now())

    def _tell(self, file: str, summary: Summary) -> None:
        for each in summary.samples.get(Outcome.PROBLEM, []):
            for problem in each["problems"]:
                place = ": ".join(filter(None, (f"{file}:{each['number']}", problem["column"])))
                self.stderr.write(f"{place}: {problem['message']} {problem['suggestion']}")
        more = summary.problems - len(summary.samples.get(Outcome.PROBLEM, []))
        if more > 0:
            self.stderr.write(f"… and {more} more rows with problems; --errors writes all of them.")
        counts = ", ".join(f"{count} {key}" for key, count in summary.counts.items())
        self.stdout.write(f"{summary.rows} rows: {counts}.")
        if summary.contacts_kept:
            self.stdout.write(
                f"{summary.contacts_kept} confirmed contacts are kept; "
                "--replace-confirmed replaces them."
            )


def _ending(summary: Summary, *, done: bool, dry_run: bool) -> str:
    if dry_run or not done:
        return "Nothing was imported."
    if not summary.to_write:
        return "There was nothing to do."
    return f"{summary.to_write} people were changed."


def read_file(path: Path) -> bytes:
    """The file, never more of it than may be imported. Raises FileRefused."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        words = f"The file can't be read: {error.strerror or 'unknown error'}."
        raise FileRefused("unreadable", words) from None


def write_private(path: Path, report: Report) -> None:
    """The report holds contacts: nobody else on the machine reads it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(report.content())
