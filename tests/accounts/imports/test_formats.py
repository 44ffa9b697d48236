"""Which files are read, which are refused as a whole and why (A-094, A-095)."""

import tracemalloc
from collections import deque

import pytest

from accounts.imports import formats
from accounts.imports.columns import COLUMNS, heading
from accounts.imports.formats import MAX_BYTES, EnrolmentFile, FileRefused, open_file
from accounts.imports.neutral import as_typed, neutralised

TEXT = "user_id,mobile_phone\nalice@a.example,+1 4255550101\n"


def refusal(content: bytes, format: str = "auto") -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        open_file(content, format)
    return refused.value


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("user_id", '" User ID "').replace("mobile_phone", "MOBILE-phone ").encode(),
        TEXT.encode() + b"\n,\n , \n",
    ],
)
def test_these_are_the_same_file(content: bytes) -> None:
    [row] = open_file(content).rows()

    assert row.number == 2
    assert dict(row.values) == {"user_id": "alice@a.example", "mobile_phone": "+1 4255550101"}


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("empty", b""),
        ("empty", b" \r\n \n"),
        ("not_text", b"PK\x03\x04" + TEXT.encode()),
        ("not_text", b"\xd0\xcf\x11\xe0" + bytes(600)),
        ("nul", TEXT.encode().replace(b"alice", b"al\0ice")),
        ("nul", TEXT.encode("utf-16-le")),
        ("nul", TEXT.encode("utf-16").replace(b"a\0", b"\0\0", 1)),
        ("not_utf8", (TEXT + "jürgen@a.example,\n").encode("latin-1")),
        ("not_utf8", TEXT.encode("utf-16") + b"\x00"),
        ("no_heading", b"alice@a.example,+1 4255550101\n"),
        ("no_heading", b"hello"),
        ("no_user_id", b"mobile_phone\n+1 4255550101\n"),
        ("nothing_to_import", b"user_id\nalice@a.example\n"),
        ("no_rows", b"user_id,mobile_phone\n\n,\n"),
        ("doubled_column", b"user_id,mobile_phone,Mobile Phone\na@a.example,,\n"),
        ("unknown_column", b"user_id,mobile_phone,\na@a.example,,\n"),
        ("bad_quotes", b'user_id,mobile_phone\na@a.example,"+1 4255550101\n'),
        ("bad_quotes", b'user_id,mobile_phone\na@a.example,"+1"4\n'),
        ("bad_quotes", b"user_id,mobile_phone\na@a.example," + b"1" * 140_000 + b"\n"),
    ],
)
def test_these_are_refused_as_a_whole(code: str, content: bytes) -> None:
    assert refusal(content).code == code


@pytest.mark.parametrize("column", ["tenant", "is_admin", "totp_secret", "password", "Tenant ID"])
def test_a_column_that_is_not_part_of_the_format_is_refused_by_its_name(column: str) -> None:
    refused = refusal(f"user_id,mobile_phone,{column}\na@a.example,,x\n".encode())

    assert refused.code == "unknown_column"
    assert f"“{heading(column)}”" in str(refused)
    assert "a@a.example" not in str(refused)


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("auto", b"version:v1.0\nName [displayName] Required,User name [userPrincipalName]\n"),
        ("auto", b"User name [userPrincipalName] Required,Mobile phone [mobile]\n"),
        ("auto", b"sAMAccountName,mobile\nalice,123\n"),
        ("auto", "version:v1.0\nx\n".encode("utf-16")),
        ("entra", TEXT.encode()),
        ("adselfservice", TEXT.encode()),
    ],
)
def test_the_formats_of_other_products_are_not_read_yet_and_that_is_said(
    format: str, content: bytes
) -> None:
    refused = refusal(content, format)

    assert refused.code == "format_not_read"
    assert "does not read yet" in str(refused)


def test_a_bad_byte_is_told_with_its_line() -> None:
    lines = [f"p{number}@a.example,+1 4255550101" for number in range(5000)]
    lines[4321] = "jürgen@a.example,"

    content = "\n".join(["user_id,mobile_phone", *lines]).encode("latin-1")

    assert "Line 4323 " in str(refusal(content))


def test_size_and_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    row = b"alice@a.example,+1 4255550101\n"
    fitting = b"user_id,mobile_phone\n" + row * 3
    assert open_file(fitting).count == 3

    monkeypatch.setattr(formats, "MAX_ROWS", 2)
    assert refusal(fitting).code == "too_many_rows"
    assert refusal(fitting + b" " * MAX_BYTES).code == "too_big"


def test_a_ragged_row_is_told_apart_and_the_others_are_read() -> None:
    file = open_file(b"user_id,mobile_phone\na@a.example\nb@a.example,1,2\nc@a.example,3\n")

    assert [(row.number, row.ragged) for row in file.rows()] == [(2, True), (3, True), (4, False)]


def test_a_user_in_several_rows_is_known_with_all_of_them() -> None:
    file = open_file(b"user_id,language\na@a.example,en\nb@a.example,en\n A@A.example ,de\n")

    assert file.repeated == {"a@a.example": [2, 4]}


def test_what_a_report_adds_is_passed_over() -> None:
    file = open_file(b"user_id,language,error,suggestion\na@a.example,en,wrong,mend\n")

    [row] = file.rows()
    assert dict(row.values) == {"user_id": "a@a.example", "language": "en"}


@pytest.mark.parametrize("sign", ["=HYPERLINK(1)", "+1", "-1", "@SUM", "\tx", "\rx"])
def test_a_formula_is_neutral_on_its_way_out_and_itself_on_its_way_in(sign: str) -> None:
    assert neutralised(sign) == "'" + sign
    assert as_typed(neutralised(sign)) == sign


@pytest.mark.parametrize("text", ["O'Neill", "'quoted'", "a=b", "", "'"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert as_typed(neutralised(text)) == text
    assert neutralised(text) == text


def test_a_hundred_thousand_rows_are_read_in_little_memory() -> None:
    content = b"user_id,mobile_phone\n" + b"".join(
        b"person%06d@contoso.example,+1 4255550101\n" % number for number in range(100_000)
    )

    tracemalloc.start()
    file = EnrolmentFile(content)
    deque(file.rows(), maxlen=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert file.count == 100_000
    # User IDs are kept to find those that repeat; rows are not.
    assert peak < 40 * 1024 * 1024


def test_every_column_has_an_example_that_its_own_length_allows() -> None:
    for key, column in COLUMNS.items():
        assert heading(key) == key
        assert 0 < len(column.example) <= column.longest
