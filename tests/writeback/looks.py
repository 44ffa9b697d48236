"""What an agent says of an account that is in order."""

from datetime import datetime
from typing import Any

from writeback.connectors.base import DirectoryRules
from writeback.reports import Report

MARKS = ("protected", "enabled", "locked", "must_change", "may_reset", "may_unlock")


def looked_at(*, changed_at: datetime | None = None, password_ends: str | None = None) -> Report:
    """changed_at: when its password was set; password_ends: ISO 8601 with a zone."""
    person: dict[str, Any] = {name: name.startswith(("enabled", "may_")) for name in MARKS}
    person["changed_at"] = None if changed_at is None else changed_at.isoformat()
    person |= {"password_ends": password_ends, "account_ends": None}
    return Report("succeeded", rules=DirectoryRules(min_length=10), person=person)
