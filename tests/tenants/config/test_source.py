"""Every key of a file has its line, however it is written."""

import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenants.config import source
from tenants.config.report import Path, key_text
from tenants.config.source import Source, SyntaxBroken
from tenants.config.writing import to_toml

WRITTEN = '''\
# a comment with [brackets] = "and quotes
title = "a # no comment"

[tenant] # the customer
slug = 'x'
"quoted key" = 1
a . b = true
domains = [
    { name = "one.example", custom = true }, # first ] one
    # nothing here
    { name = """two
[tenant]
""", custom = false },
]

text = """
[[users]]
id = "no" \\""" """""
literal = \'\'\'
a = 1 '' \'\'\'\'
last = 2026-11-01

[[users]]
id = "a"
[[users]]

  id = "b"
  [users.more]
  deep = [[1, 2], [3]]
[[users.rows]]
x = 1
[[users.rows]]
x = 2
[groups.inner.most]
y = 1
'''


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("title",), 2, 1),
        (("tenant",), 4, 1),
        (("tenant", "slug"), 5, 1),
        (("tenant", "quoted key"), 6, 1),
        (("tenant", "a", "b"), 7, 1),
        (("tenant", "domains"), 8, 1),
        (("tenant", "domains", 0), 9, 5),
        (("tenant", "domains", 0, "custom"), 9, 29),
        (("tenant", "domains", 1, "name"), 11, 7),
        (("tenant", "domains", 1, "custom"), 13, 6),
        (("tenant", "text"), 16, 1),
        (("tenant", "literal"), 19, 1),
        (("tenant", "last"), 21, 1),
        (("users",), 23, 1),
        (("users", 0, "id"), 24, 1),
        (("users", 1), 25, 1),
        (("users", 1, "id"), 27, 3),
        (("users", 1, "more", "deep", 1, 0), 29, 20),
        (("users", 1, "rows", 1, "x"), 33, 1),
        (("groups", "inner", "most", "y"), 35, 1),
        (("users", 1, "name"), 25, 1),
        (("nowhere",), 1, 1),
    ],
)
def test_every_place_is_found(path: Path, line: int, column: int) -> None:
    assert Source(WRITTEN.encode()).locate(path) == (line, column)


def test_windows_line_ends_and_a_byte_order_mark_do_not_shift_lines() -> None:
    content = b"\xef\xbb\xbf" + WRITTEN.replace("\n", "\r\n").encode()

    assert Source(content).locate(("users", 1, "id")) == (27, 3)


def paths_of(value: Any, path: Path = ()) -> list[Path]:
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    found = [path] if path else []
    return found + [deep for name, child in children for deep in paths_of(child, (*path, name))]


def test_no_key_of_the_file_is_left_without_its_own_place() -> None:
    source = Source(WRITTEN.encode())

    assert set(paths_of(source.data)) == set(source._offsets)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
ROWS = st.dictionaries(
    st.from_regex(r"[a-z_]{1,4}", fullmatch=True),
    st.one_of(TEXTS, st.integers(-99, 99), st.booleans(), st.dates(), st.lists(TEXTS, max_size=3)),
    min_size=1,
    max_size=3,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from("abcd"), st.one_of(ROWS, st.lists(ROWS, min_size=1))))
def test_what_is_written_is_read_back_and_every_key_found(document: dict[str, Any]) -> None:
    text = to_toml(document)
    source = Source(text.encode())

    assert source.data == document == tomllib.loads(text)
    assert set(paths_of(document)) == set(source._offsets)


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b'[tenant]\nslug = "x"\nslug = "y"\n', 3, 11),
        (b'[tenant]\nname = "open\n', 2, 13),
        (b"[tenant]\nname = hunter2\n", 2, 8),
        (b"[tenant]\nname = [1,\n", 3, 1),
        (b'[tenant]\nname = "\xff"\n', 2, 9),
        (b"a = " + b"[" * 100_000, 1, 1),
        (b"a = " + b"1" * 5000, 1, 1),
    ],
)
def test_broken_files_name_the_line_and_not_the_value(
    content: bytes, line: int, column: int
) -> None:
    with pytest.raises(SyntaxBroken) as broken:
        Source(content)

    assert (broken.value.line, broken.value.column) == (line, column)
    assert "hunter2" not in str(broken.value)


def test_a_place_is_written_as_people_write_it() -> None:
    assert key_text(("users", 3, "mobile_phone")) == "users[3].mobile_phone"
    assert key_text(("tenant", "quoted key")) == 'tenant."quoted key"'


def test_the_walk_goes_on_where_it_finds_nothing_it_knows() -> None:
    scanner = source._Scanner("= 1")

    assert scanner._skip(source._NAME) == ""
    assert scanner.at == 1
