"""`manage.py apply FILE`: brings a tenant to what its file says."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.config.engine import Outcome, apply_content
from tenants.config.layout import json_schema
from tenants.config.report import Problem

INVALID, WOULD_CHANGE = 1, 2


class Command(BaseCommand):
    help = (
        "Applies a tenant's file. "
        "Exit 0: done or nothing to do; 1: invalid; 2: a dry run with changes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of a file")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["schema"]:
            self.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False))
            return
        if not options["file"]:
            raise CommandError("Name the FILE to apply, or ask for its --schema.")
        outcome = outcome_of(options["file"], dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(outcome.as_json(), indent=2, ensure_ascii=False))
        else:
            self._tell(outcome, dry_run=options["dry_run"])
        if not outcome.valid:
            sys.exit(INVALID)
        if options["dry_run"] and outcome.changes:
            sys.exit(WOULD_CHANGE)

    def _tell(self, outcome: Outcome, *, dry_run: bool) -> None:
        for problem in outcome.problems:
            place = ":".join(str(part) for part in (problem.line, problem.column) if part)
            parts = (f"{outcome.file}:{place}" if place else outcome.file, problem.key)
            self.stderr.write(": ".join([*filter(None, parts), problem.message]))
        if not outcome.valid:
            count = len(outcome.problems)
            noun = "problem" if count == 1 else "problems"
            self.stderr.write(f"{count} {noun}. Nothing was applied.")
            return
        for change in outcome.changes:
            self.stdout.write(str(change))
        for warned in outcome.warnings:
            place = f"{outcome.file}:{warned.line}: {warned.key}"
            self.stdout.write(f"warning: {place}: {warned.message}")
        self.stdout.write(_summary(outcome, dry_run=dry_run))


def _summary(outcome: Outcome, *, dry_run: bool) -> str:
    count = len(outcome.changes)
    if not count:
        return f"{outcome.tenant}: nothing to do."
    noun = "change" if count == 1 else "changes"
    if dry_run:
        return f"{outcome.tenant}: {count} {noun} to make. Nothing was applied."
    return f"{outcome.tenant}: {count} {noun} applied."


def outcome_of(name: str, *, dry_run: bool) -> Outcome:
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        message = f"The file can't be read: {error.strerror or 'unknown error'}."
        return Outcome(name, problems=(Problem(None, None, "", message),))
    return apply_content(content, file=name, dry_run=dry_run)
