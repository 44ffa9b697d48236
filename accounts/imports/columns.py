"""PURE. The columns of the native format: its own, and those that apps above add."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Holds = Literal["user_id", "profile", "contact", "brought"]

_BETWEEN = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class Column:
    """One column. `field` is the kind of contact or the person's column behind it; `longest` is in
    characters. What a `brought` one means knows the app that added it (`brought`)."""

    key: str
    holds: Holds
    field: str
    longest: int
    says: str
    example: str


_COLUMNS: dict[str, Column] = {
    column.key: column
    for column in (
        Column(
            "user_id", "user_id", "user_id", 113, "who it is; required", "alice@contoso.example"
        ),
        Column("display_name", "profile", "display_name", 256, "the name people read", "Alice"),
        Column("language", "profile", "language", 12, "language of mails", "en"),
        Column(
            "email",
            "contact",
            "primary_email",
            254,
            "the primary mailbox; notices go there, it proves nothing",
            "alice@contoso.example",
        ),
        Column(
            "alternate_email",
            "contact",
            "alternate_email",
            254,
            "a mailbox outside the organisation, for codes",
            "alice@example.net",
        ),
        Column("mobile_phone", "contact", "mobile_phone", 40, "no extension", "+1 4255550101"),
        Column(
            "office_phone",
            "contact",
            "office_phone",
            40,
            "an extension stands behind an x",
            "+1 4255550100x123",
        ),
    )
}
COLUMNS: Mapping[str, Column] = _COLUMNS
USER_ID = "user_id"
REPORT_COLUMNS = ("error", "suggestion")
"""What a report adds to each row. In a file that is read they are passed over, so that a corrected
report can be imported as it is."""


def add_columns(columns: Iterable[Column]) -> None:
    """Called by `brought.bring` while the apps are loaded."""
    _COLUMNS.update((column.key, column) for column in columns)


def is_brought(key: str) -> bool:
    return COLUMNS[key].holds == "brought"


def heading(text: str) -> str:
    """A heading as it is compared: case, blanks, dashes and underscores around and inside it don't
    matter. ` Mobile Phone ` is `mobile_phone`."""
    return _BETWEEN.sub("_", text.strip().casefold()).strip("_")
