"""PURE. Reading a file: what it is, its heading, its rows one after the other.

A file is refused as a whole when its rows can't be told with certainty: another kind of file,
another encoding, an unknown or doubled column, a broken quote (A-094, A-095). Whatever is wrong
inside one row is that row's problem and is found later.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..identifiers import canonical
from .columns import COLUMNS, REPORT_COLUMNS, USER_ID, heading
from .neutral import as_typed

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 100_000
MAX_CELL = 320
FORMATS = ("auto", "native", "entra", "adselfservice")
DELIMITERS = ",;\t"
_BLOCK = 64 * 1024
_NOT_TEXT = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"\x1f\x8b": "a compressed file",
    b"%PDF": "a PDF file",
}
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_FOREIGN = {
    "entra": "the bulk format of Microsoft Entra",
    "adselfservice": "the enrolment format of ADSelfService Plus",
}


class FileRefused(ValueError):
    """The file as a whole can't be imported. The text says why and what to do; it names columns
    and lines, never what stands in a cell."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Row:
    """One row. `number` counts like a spreadsheet: the heading is row 1. `values` holds the cells
    of known columns, blanks around them left out; it is empty for a ragged row."""

    number: int
    cells: tuple[str, ...] = field(repr=False)
    values: Mapping[str, str] = field(repr=False)
    ragged: bool = False


class EnrolmentFile:
    """A file that can be read: its heading is understood and its whole text was seen once.

    `rows()` reads it again from the start, one row at a time. `repeated` maps each user ID that
    stands in several rows to their numbers; `count` is the number of rows that are not blank.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.encoding = _encoding_of(content)
        first = next(self._lines(), "")
        self.delimiter = _delimiter_of(first)
        self.headings = self._headings()
        self.columns = _columns_of(self.headings)
        self.repeated: dict[str, list[int]] = {}
        self.count = self._survey()

    def rows(self) -> Iterator[Row]:
        records = self._records()
        next(records, None)
        for number, cells in enumerate(records, start=2):
            if any(cell.strip() for cell in cells):
                yield self._row(number, tuple(map(as_typed, cells)))

    def _row(self, number: int, cells: tuple[str, ...]) -> Row:
        if len(cells) != len(self.headings):
            return Row(number, cells, {}, ragged=True)
        values = {key: cells[at].strip() for at, key in self.columns.items()}
        return Row(number, cells, values)

    def _lines(self) -> Iterator[str]:
        skip = 2 if self.encoding.startswith("utf-16") else 0
        stream = io.BytesIO(self.content)
        stream.seek(skip)
        return iter(io.TextIOWrapper(stream, self.encoding, newline=""))

    def _records(self) -> Iterator[list[str]]:
        reader = csv.reader(self._lines(), delimiter=self.delimiter, strict=True)
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error:
                raise FileRefused(
                    "bad_quotes",
                    f"Around line {reader.line_num} a quotation mark is opened and not closed, or "
                    "stands inside a cell. Write it twice inside a cell in quotes.",
                ) from None

    def _headings(self) -> list[str]:
        found = next(self._records(), [])
        return [heading(as_typed(cell)) for cell in found]

    def _survey(self) -> int:
        first: dict[str, int] = {}
        count = 0
        for row in self.rows():
            count += 1
            if count > MAX_ROWS:
                raise FileRefused(
                    "too_many_rows", f"The file has more than {MAX_ROWS:,} rows. Split it."
                )
            user_id = canonical(row.values.get(USER_ID, ""))
            if user_id and first.setdefault(user_id, row.number) != row.number:
                self.repeated.setdefault(user_id, [first[user_id]]).append(row.number)
        if not count:
            raise FileRefused("no_rows", "Below its heading the file has no rows.")
        return count


def open_file(content: bytes, format: str = "auto") -> EnrolmentFile:
    """The file, ready to be read row by row. `format` is one of FORMATS. Raises FileRefused."""
    if format in _FOREIGN:
        raise _not_read_yet(format)
    if len(content) > MAX_BYTES:
        raise FileRefused(
            "too_big", f"The file is bigger than {MAX_BYTES // 1024**2} MiB. Split it."
        )
    if not content.strip():
        raise FileRefused("empty", "The file is empty.")
    if format == "auto":
        foreign = _foreign_format(content)
        if foreign is not None:
            raise _not_read_yet(foreign)
    return EnrolmentFile(content)


def _not_read_yet(format: str) -> FileRefused:
    return FileRefused(
        "format_not_read",
        f"This is {_FOREIGN[format]}, which this version does not read yet. Use the native format.",
    )


def _foreign_format(content: bytes) -> str | None:
    """Which of the formats of other products the beginning of a file looks like."""
    start = content[:2000].replace(b"\0", b"").lower()
    if start.lstrip(b"\xef\xbb\xbf\xff\xfe").startswith(b"version:") or b"[userprincipal" in start:
        return "entra"
    first = start.splitlines()[0] if start else b""
    return "adselfservice" if b"samaccountname" in first else None


def _encoding_of(content: bytes) -> str:
    for magic, name in _NOT_TEXT.items():
        if content.startswith(magic):
            raise FileRefused(
                "not_text", f"This is {name}, whatever it is called. Save it as “CSV UTF-8”."
            )
    encoding = _UTF16.get(content[:2], "utf-8-sig")
    if encoding == "utf-8-sig" and b"\0" in content:
        raise FileRefused(
            "nul", "The file holds NUL bytes: it is no text, or damaged. Save it as “CSV UTF-8”."
        )
    _decode(content, encoding)
    return encoding


def _decode(content: bytes, encoding: str) -> None:
    """Reads the whole text once, in blocks. Raises FileRefused with the line of a bad byte."""
    decoder = codecs.getincrementaldecoder(encoding)()
    start = 2 if encoding.startswith("utf-16") else 0
    for at in range(start, len(content), _BLOCK):
        try:
            text = decoder.decode(content[at : at + _BLOCK], at + _BLOCK >= len(content))
        except UnicodeDecodeError as bad:
            line = content.count(b"\n", 0, at + bad.start) + 1
            raise FileRefused(
                "not_utf8",
                f"Line {line} is not written in UTF-8: letters with accents would be lost. "
                "Save the file as “CSV UTF-8”.",
            ) from None
        if "\0" in text:
            raise FileRefused(
                "nul", "The file holds NUL characters: it is damaged. Save it as “CSV UTF-8”."
            )


def _delimiter_of(first: str) -> str:
    """Comma, semicolon or tabulator: the one that finds most of our columns in the heading."""

    def known(delimiter: str) -> int:
        cells = first.replace('"', "").split(delimiter)
        return sum(heading(cell) in COLUMNS for cell in cells)

    return max(DELIMITERS, key=known)


def _columns_of(headings: list[str]) -> dict[int, str]:
    """Place → column, for the columns that are read. Raises FileRefused."""
    unknown = [name for name in headings if name not in COLUMNS and name not in REPORT_COLUMNS]
    if USER_ID not in headings and len(unknown) == len(headings):
        raise FileRefused(
            "no_heading", "The first line has to name the columns; one of them is user_id."
        )
    if unknown:
        named = ", ".join(f"“{name[:40]}”" if name else "one without a name" for name in unknown)
        raise FileRefused(
            "unknown_column",
            f"These columns are not part of the format: {named}. Take them out. "
            f"There are: {', '.join(COLUMNS)}.",
        )
    doubled = sorted({name for name in headings if headings.count(name) > 1})
    if doubled:
        raise FileRefused("doubled_column", f"Twice in the heading: {', '.join(doubled)}.")
    if USER_ID not in headings:
        raise FileRefused("no_user_id", "The column user_id is missing.")
    columns = {at: name for at, name in enumerate(headings) if name in COLUMNS}
    if len(columns) == 1:
        raise FileRefused("nothing_to_import", "Beside user_id there is no column to import.")
    return columns
