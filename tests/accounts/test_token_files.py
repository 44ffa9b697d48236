"""Files of tokens: what is read, and what is said of rows that can't be."""

import pytest

from accounts.oath import OathToken
from accounts.token_files import (
    MAX_BYTES,
    MAX_ROWS,
    SAMPLE,
    FileRefused,
    GivenKey,
    GivenToken,
    read_tokens,
)

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HEAD = "serial,seed,algorithm,digits,period,counter"
KEY_HEAD = "public_id,private_id,aes_key"
GOOD_KEY = "cccccccbhilk,010203040506,000102030405060708090a0b0c0d0e0f"


def read(*lines: str) -> list[str]:
    return [row.problem for row in read_tokens("\n".join(lines).encode())]


def test_the_sample_is_read_whole() -> None:
    first, second, key = read_tokens(SAMPLE.encode())

    assert isinstance(first.given, GivenToken)
    assert isinstance(second.given, GivenToken)
    assert isinstance(key.given, GivenKey)
    assert first.given.token.period == 30
    assert second.given.token == OathToken(b"12345678901234567890", "sha256", 8, 0)
    assert second.given.last == -1
    assert (key.name, len(key.given.key)) == ("cccccccbhilk", 16)
    assert [row.number for row in (first, second, key)] == [2, 3, 4]
    assert (first.kind, key.kind) == ("6 digits, every 30 s, SHA1", "YubiKey")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_however_a_spreadsheet_saves_it(delimiter: str, mark: str) -> None:
    text = mark + f'{HEAD}\r\n"gt 1",{SEED},SHA-256,8,60,\r\n'.replace(",", delimiter)

    [row] = read_tokens(text.encode())

    assert isinstance(row.given, GivenToken)
    assert (row.name, row.problem) == ("GT1", "")
    assert (row.given.token.algorithm, row.given.token.period) == ("sha256", 60)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (f",{SEED},,,,", "serial"),
        (f"{'x' * 41},{SEED},,,,", "serial"),
        (f"=1+1,{SEED},,,,", "serial"),
        ("A1,,,,,", "seed is missing"),
        ("A1,JBSW 1089 !!,,,,", "neither"),
        ("A1,JBSWY3DP,,,,", "10 to 64 bytes"),
        (f"A1,{SEED},md5,,,", "sha1 or sha256"),
        (f"A1,{SEED},,7,,", "6 or 8"),
        (f"A1,{SEED},,,45,", "30 or 60"),
        (f"A1,{SEED},,,30,0", "not both"),
        (f"A1,{SEED},,,,-1", "whole number"),
        (f"A1,{SEED},,,,{10**14}", "whole number"),
        (f"A1,{'J' * 200},,,,", "far longer"),
    ],
)
def test_a_row_says_in_words_what_is_wrong_with_it(row: str, word: str) -> None:
    [problem] = read(HEAD, row)

    assert word in problem
    assert SEED not in problem


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("cccccccbhila,010203040506,000102030405060708090a0b0c0d0e0f", "public ID"),
        ("cccccccbhilk,0102,000102030405060708090a0b0c0d0e0f", "private ID"),
        ("cccccccbhilk,010203040506,00", "AES key"),
        ("cccccccbhilk,010203040506,", "AES key"),
    ],
)
def test_a_key_says_what_is_wrong_with_it(row: str, word: str) -> None:
    [problem] = read(KEY_HEAD, row)

    assert word in problem


def test_empty_rows_are_passed_over_and_the_numbers_stay_the_spreadsheets() -> None:
    rows = read_tokens(f"{HEAD}\nA1,{SEED}\n\n,,,,,\nA2,{SEED}\n".encode())

    assert [(row.number, row.name) for row in rows] == [(2, "A1"), (5, "A2")]


def test_a_key_with_a_seed_is_neither_one_nor_the_other() -> None:
    key = "cccccccbhilk,010203040506,000102030405060708090a0b0c0d0e0f"

    [problem] = read(f"{KEY_HEAD},seed", f"{key},{SEED}")

    assert "not both" in problem
    assert SEED not in problem


def test_a_number_that_stands_twice_is_told_at_the_second() -> None:
    problems = read(HEAD, f"A1,{SEED},,,,", f"a1,{SEED},,,,", f"A2,{SEED},,,,")

    assert [bool(problem) for problem in problems] == [False, True, False]
    assert "Row 2" in problems[1]
    assert read(KEY_HEAD, GOOD_KEY, GOOD_KEY)[1] != ""


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "columns"),
        (b"serial,seed", "no rows"),
        (b"serial\nA1", "serial and seed"),
        (b"serial,seed,color\nA1,x,red", "columns"),
        (b"serial,seed,seed\nA1,x,y", "twice"),
        (b'serial,seed\n"A1', "quotation"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"PK\x03\x04\x00", "no text"),
        (b"x" * (MAX_BYTES + 1), "1 MiB"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(content: bytes, word: str) -> None:
    with pytest.raises(FileRefused, match=word):
        read_tokens(content)


def test_a_file_with_too_many_rows_is_refused() -> None:
    with pytest.raises(FileRefused, match="Split it"):
        read_tokens((HEAD + "\n" + f"A,{SEED},,,,\n" * (MAX_ROWS + 1)).encode())


@pytest.mark.parametrize("seed", ["3132333435363738393031323334353637383930", SEED.lower()])
def test_a_seed_in_either_writing_is_understood(seed: str) -> None:
    [row] = read_tokens(f"serial,seed\nA1,{seed}".encode())

    assert isinstance(row.given, GivenToken)
    assert len(row.given.token.seed) == 20
