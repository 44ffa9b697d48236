"""`manage.py doctor`: what is wrong with the installation, and what mends it."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from sspr_project.health import Finding, examine

MARKS = {"ok": "ok", "attention": "look", "broken": "BROKEN"}


class Command(BaseCommand):
    help = "Look at everything the installation needs; exit 1 when something is broken."
    # It says itself what is wrong.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        for finding in findings:
            self._print(finding)
        if any(finding.state == "broken" for finding in findings):
            sys.exit(1)

    def _print(self, finding: Finding) -> None:
        self.stdout.write(f"{MARKS[finding.state]:<7} {finding.name}: {finding.says}")
        if finding.fix:
            self.stdout.write(f"        → {finding.fix}")
