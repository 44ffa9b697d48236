"""PURE. Reading a CSV file of code generators and YubiKeys: each row is right, or says in words
what is wrong with it. No text of this module ever quotes a secret."""

import base64
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .oath import ALGORITHMS, DIGITS, PERIODS, SEED_BYTES, OathToken
from .yubikey import KEY_BYTES, PRIVATE_BYTES, is_public_id

MAX_BYTES = 1024 * 1024
MAX_ROWS = 5_000
MAX_CELL = 160
COLUMNS: Mapping[str, str] = {
    "serial": "code generator: the number on the device, at most 40 characters",
    "seed": "code generator: its seed in base 32 or hexadecimal",
    "algorithm": "code generator: sha1 (when empty) or sha256",
    "digits": "code generator: 6 (when empty) or 8",
    "period": "code generator by time: 30 (when empty) or 60 seconds",
    "counter": "code generator by events: the number of its next code, instead of a period",
    "public_id": "YubiKey: the 12 letters that its one-time passwords begin with",
    "private_id": "YubiKey: 12 hexadecimal digits",
    "aes_key": "YubiKey: 32 hexadecimal digits",
}
SAMPLE = (
    "serial,seed,algorithm,digits,period,counter,public_id,private_id,aes_key\r\n"
    "GT-000123,JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP,sha1,6,30,,,,\r\n"
    "GT-000124,3132333435363738393031323334353637383930,sha256,8,,0,,,\r\n"
    ",,,,,,cccccccbhilk,010203040506,000102030405060708090a0b0c0d0e0f\r\n"
)
_HEX = frozenset("0123456789abcdefABCDEF")
_SIGNS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")


class FileRefused(ValueError):
    """The file as a whole can't be read; the text says why and what to do."""


class _Wrong(Exception):
    """What is wrong with a row, as a sentence."""


@dataclass(frozen=True)
class GivenToken:
    """A code generator of the file. `last` is the position before its next code, -1 for none."""

    name: str
    token: OathToken
    last: int = -1


@dataclass(frozen=True)
class GivenKey:
    """A YubiKey of the file, by its public ID."""

    name: str
    key: bytes = field(repr=False)
    private_id: bytes = field(repr=False)


@dataclass(frozen=True)
class TokenRow:
    """A row, numbered as in a spreadsheet. `problem` is a sentence, empty when it can be used."""

    number: int
    name: str
    given: GivenToken | GivenKey | None = None
    problem: str = ""

    @property
    def kind(self) -> str:
        """What it is, in a few words without its secret."""
        if isinstance(self.given, GivenKey):
            return "YubiKey"
        if self.given is None:
            return "–"
        token = self.given.token
        beat = f"every {token.period} s" if token.period else "by events"
        return f"{token.digits} digits, {beat}, {token.algorithm.upper()}"


def read_tokens(content: bytes) -> list[TokenRow]:
    """The rows of a file. Raises FileRefused."""
    rows: list[TokenRow] = []
    seen: dict[str, int] = {}
    for number, values in _records(content):
        if len(rows) == MAX_ROWS:
            raise FileRefused(f"The file has more than {MAX_ROWS:,} rows. Split it.")
        row = _row(number, values)
        first = seen.setdefault(f"{type(row.given).__name__} {row.name}", number)
        if row.given is not None and first != number:
            row = TokenRow(number, row.name, None, f"Row {first} has the same number: keep one.")
        rows.append(row)
    if not rows:
        raise FileRefused("Below its heading the file has no rows.")
    return rows


def _records(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    if len(content) > MAX_BYTES:
        raise FileRefused("The file is bigger than 1 MiB. Split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("This is no text in UTF-8. Save it as CSV with UTF-8.") from None
    if "\x00" in text:
        raise FileRefused("This is no text. Save it as CSV with UTF-8.")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise FileRefused("A quotation mark is opened and not closed.") from None
    heading = [cell.strip().lower().replace(" ", "_") for cell in (records or [[]])[0]]
    _check_heading(heading)
    for number, cells in enumerate(records[1:], start=2):
        if any(cell.strip() for cell in cells):
            yield number, dict(zip(heading, (cell.strip() for cell in cells), strict=False))


def _check_heading(heading: list[str]) -> None:
    unknown = [name for name in heading if name not in COLUMNS]
    if unknown or not heading:
        raise FileRefused(f"Use only these columns: {', '.join(COLUMNS)}.")
    if len(set(heading)) != len(heading):
        raise FileRefused("A column stands twice. Keep one.")
    if not ({"serial", "seed"} <= set(heading) or {"public_id", "aes_key"} <= set(heading)):
        raise FileRefused("A file has serial and seed, or public_id, private_id and aes_key.")


def _row(number: int, values: Mapping[str, str]) -> TokenRow:
    name = values.get("serial") or values.get("public_id") or ""
    shown = name if name.isprintable() and len(name) <= 40 else "–"
    try:
        if any(len(value) > MAX_CELL for value in values.values()):
            raise _Wrong("A cell is far longer than anything that belongs here.")
        is_key = bool(values.get("aes_key") or values.get("public_id"))
        given = _key(values) if is_key else _token(values)
    except _Wrong as wrong:
        return TokenRow(number, shown, None, str(wrong))
    return TokenRow(number, given.name, given)


def _token(values: Mapping[str, str]) -> GivenToken:
    serial = "".join(values.get("serial", "").split()).upper()
    if not serial or len(serial) > 40 or not _SIGNS.issuperset(serial):
        raise _Wrong("Write the serial: letters, digits and - _ . / , at most 40 characters.")
    algorithm = (values.get("algorithm") or "sha1").lower().replace("-", "").removeprefix("hmac")
    if algorithm not in ALGORITHMS:
        raise _Wrong("Write sha1 or sha256 as the algorithm.")
    digits = _number(values.get("digits") or "6", lambda n: n in DIGITS, "Write 6 or 8 digits.")
    counter, period = values.get("counter", ""), values.get("period", "")
    if counter and period:
        raise _Wrong("A token counts time or events: write a period or a counter, not both.")
    if counter:
        far = "Write the counter as a whole number, 0 for a new device."
        start = _number(counter, lambda n: n < 2**40, far)
        return GivenToken(serial, OathToken(_seed(values), algorithm, digits, 0), start - 1)
    steps = _number(period or "30", lambda n: n in PERIODS, "Write 30 or 60 seconds as the period.")
    return GivenToken(serial, OathToken(_seed(values), algorithm, digits, steps))


def _number(text: str, fits: Callable[[int], bool], problem: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 15 and fits(int(text))):
        raise _Wrong(problem)
    return int(text)


def _seed(values: Mapping[str, str]) -> bytes:
    """What only holds hexadecimal digits is read as such: base 32 of that kind is all but never
    seen."""
    text = values.get("seed", "").replace(" ", "").replace("-", "")
    if not text:
        raise _Wrong("The seed is missing.")
    if _HEX.issuperset(text) and len(text) % 2 == 0:
        seed = bytes.fromhex(text)
    else:
        bare = text.rstrip("=").upper()
        try:
            seed = base64.b32decode(bare + "=" * (-len(bare) % 8))
        except ValueError:
            raise _Wrong("The seed is neither base 32 nor hexadecimal.") from None
    if len(seed) not in SEED_BYTES:
        raise _Wrong("The seed has 10 to 64 bytes: check that it is whole.")
    return seed


def _key(values: Mapping[str, str]) -> GivenKey:
    public_id = values.get("public_id", "").lower()
    if not is_public_id(public_id):
        raise _Wrong("Write the public ID: 12 of the letters cbdefghijklnrtuv.")
    if values.get("seed"):
        raise _Wrong("A row is a code generator or a YubiKey, not both.")
    private_id = _hex(values.get("private_id", ""), PRIVATE_BYTES, "private ID")
    return GivenKey(public_id, _hex(values.get("aes_key", ""), KEY_BYTES, "AES key"), private_id)


def _hex(text: str, size: int, what: str) -> bytes:
    bare = text.replace(" ", "")
    if len(bare) != 2 * size or not _HEX.issuperset(bare):
        raise _Wrong(f"Write the {what} as {2 * size} hexadecimal digits.")
    return bytes.fromhex(bare)
