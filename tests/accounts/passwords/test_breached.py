import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.passwords.breached import BreachedList, BreachedListError

LEAKED = [f"leaked-{number}" for number in range(200)]


def sha1_of(password: str) -> str:
    data = password.encode("utf-8", "surrogatepass")
    return hashlib.sha1(data, usedforsecurity=False).hexdigest().upper()


def write(path: Path, lines: list[str], end: str = "\n") -> BreachedList:
    path.write_bytes("".join(line + end for line in lines).encode())
    return BreachedList(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("digits", [10, 16, 40])
@pytest.mark.parametrize("count", ["", ":1", ":12345678901"])
@pytest.mark.parametrize("lower", [False, True])
def test_every_form_of_the_list_is_searched(
    tmp_path: Path, end: str, digits: int, count: str, lower: bool
) -> None:
    hashes = sorted(sha1_of(password)[:digits] for password in LEAKED)
    lines = [(key.lower() if lower else key) + count for key in hashes]
    breached = write(tmp_path / "list", lines, end)
    assert breached.verify() == len(LEAKED)
    assert all(breached.contains(password) for password in LEAKED)
    assert not any(breached.contains(f"safe-{number}") for number in range(200))


@given(
    leaked=st.lists(st.text(max_size=4), min_size=1, max_size=30),
    asked=st.text(max_size=4),
    widths=st.lists(st.integers(1, 10**19), min_size=30, max_size=30),
    last_end=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_search_finds_what_reading_every_line_finds(
    tmp_path: Path, leaked: list[str], asked: str, widths: list[int], last_end: bool
) -> None:
    keys = sorted(sha1_of(password) for password in leaked)
    text = "\n".join(f"{key}:{width}" for key, width in zip(keys, widths, strict=False))
    (tmp_path / "list").write_text(text + "\n" * last_end)
    breached = BreachedList(tmp_path / "list")
    assert breached.contains(asked) is (sha1_of(asked) in keys)
    assert all(breached.contains(password) for password in leaked)


def test_half_a_surrogate_pair_is_just_another_password(tmp_path: Path) -> None:
    breached = write(tmp_path / "list", [sha1_of("tulip")])
    assert not breached.contains("\ud800")


def test_the_password_counts_exactly_as_typed(tmp_path: Path) -> None:
    breached = write(tmp_path / "list", [sha1_of("tulip")])
    assert [breached.contains(typed) for typed in ("tulip", "Tulip", "tulip ")] == [
        True,
        False,
        False,
    ]


A, B = "A" * 40, "B" * 40


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([B, A], "line 2 is out of order; sort the list by hash"),
        ([A, B, A], "line 3 is out of order"),
        ([A, "B" * 39], "line 2 has another length"),
        ([A, "password"], "line 2 is not 10 to 40 hex digits"),
        (["A" * 9], "line 1 is not"),
        (["A" * 41], "line 1 is not"),
        ([A + ":many"], "line 1 is not"),
        ([A, ""], "line 2 is not"),
        (["A" * 500], "line 1 is not"),
        ([], "it is empty"),
    ],
)
def test_a_list_that_is_none_is_named_with_its_line(
    tmp_path: Path, lines: list[str], problem: str
) -> None:
    breached = write(tmp_path / "list", lines)
    with pytest.raises(BreachedListError, match=problem) as raised:
        breached.verify()
    assert str(tmp_path / "list") in str(raised.value)


def test_equal_lines_are_in_order(tmp_path: Path) -> None:
    assert write(tmp_path / "list", [A, A, B]).verify() == 3


def test_the_beginning_of_a_long_list_can_be_verified_alone(tmp_path: Path) -> None:
    breached = write(tmp_path / "list", [A, B, A])
    assert breached.verify(max_lines=2) == 2


@pytest.mark.parametrize("lines", [["not a hash"], [], [A, "x" * 5000, B]])
def test_searching_garbage_is_an_error_and_not_an_answer(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(BreachedListError):
        write(tmp_path / "list", lines).contains("tulip")


def test_a_missing_or_unreadable_list_is_named(tmp_path: Path) -> None:
    for path, problem in ((tmp_path / "gone", "No such file"), (tmp_path, "directory")):
        for ask in (BreachedList(path).verify, lambda p=path: BreachedList(p).contains("tulip")):
            with pytest.raises(BreachedListError, match=problem):
                ask()


def test_an_error_without_words_is_named_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breached = write(tmp_path / "list", [A])

    def fail(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(BreachedListError, match="TimeoutError"):
        breached.contains("tulip")
