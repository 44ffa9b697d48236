"""An agent's journal: what is kept through an end at any moment, and what is not believed."""

import errno
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from writeback.agent.journal import Journal, JournalDamaged, JournalInUse

FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))
NOW = 1_795_000_000
WITNESS = {"controller": "dc1", "version": 4}
ROOT = Path(__file__).resolve().parents[3]

Reopen = Callable[[], Journal]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def reopen(path: Path) -> Iterator[Reopen]:
    """The journal as the next process finds it."""
    held: list[Journal] = []

    def opened() -> Journal:
        for one in held:
            one.close()
        held.append(Journal(path))
        return held[-1]

    yield opened
    held[-1].close()


def _two_jobs(journal: Journal) -> None:
    """One that was done, and one nobody knows the end of."""
    assert journal.intend(FIRST, 1, NOW, WITNESS)
    journal.settle(FIRST, NOW + 1, {"outcome": "succeeded"})
    assert journal.intend(SECOND, 2, NOW + 2, WITNESS)


def test_a_job_is_begun_once_through_every_restart(reopen: Reopen) -> None:
    _two_jobs(reopen())

    journal = reopen()

    assert (journal.is_damaged, journal.sequence) == (False, 2)
    assert [journal.intend(job, 9, NOW, {}) for job in (FIRST, SECOND, THIRD)] == [
        False,
        False,
        True,
    ]
    assert journal.times() == [NOW, NOW + 2, NOW]


def test_what_has_no_result_is_looked_into_after_a_restart(reopen: Reopen) -> None:
    _two_jobs(reopen())

    [left] = reopen().unsettled()

    assert (left.job, left.facts) == (str(SECOND), WITNESS)


def test_the_first_result_stays(reopen: Reopen, path: Path) -> None:
    journal = reopen()
    _two_jobs(journal)
    before = path.read_bytes()

    journal.settle(FIRST, NOW + 9, {"outcome": "failed"})

    assert path.read_bytes() == before
    with pytest.raises(LookupError):
        journal.settle(THIRD, NOW, {})


def test_an_end_in_the_middle_of_a_line_loses_that_line_alone(reopen: Reopen, path: Path) -> None:
    _two_jobs(reopen())
    whole = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        journal = reopen()
        assert not journal.is_damaged
        assert path.stat().st_size == max([0, *(end for end in ends if end <= length)])
    assert reopen().intend(SECOND, 2, NOW, {})


def test_a_changed_byte_anywhere_is_noticed_and_nothing_is_set(reopen: Reopen, path: Path) -> None:
    _two_jobs(reopen())
    whole = path.read_bytes()

    for place in (0, 70, whole.index(b"\n") + 80, len(whole) - 10):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        journal = reopen()
        assert journal.is_damaged
        with pytest.raises(JournalDamaged):
            journal.intend(THIRD, 3, NOW, {})
        kept = path.read_bytes()
        journal.forget(NOW + 999)
        assert path.read_bytes() == kept


def test_after_a_line_that_did_not_reach_the_disk_nothing_is_written(
    reopen: Reopen, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = reopen()
    _two_jobs(journal)

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            journal.intend(THIRD, 3, NOW, {})

    assert (journal.is_damaged, journal.knows(THIRD)) == (True, False)
    with pytest.raises(JournalDamaged):
        journal.intend(THIRD, 3, NOW, {})
    with pytest.raises(JournalDamaged):
        journal.settle(SECOND, NOW, {})


@pytest.mark.parametrize("text", [b"[]", b"{}", b"nonsense", b'{"kind":"intent"}'])
def test_a_line_that_is_no_entry_is_damage_whatever_its_hash(
    reopen: Reopen, path: Path, text: bytes
) -> None:
    path.write_bytes(hashlib.sha256(text).hexdigest().encode() + b" " + text + b"\n")

    assert reopen().is_damaged


def test_a_line_that_was_taken_out_is_noticed(reopen: Reopen, path: Path) -> None:
    _two_jobs(reopen())
    first, _, third = path.read_bytes().splitlines(keepends=True)

    path.write_bytes(first + third)

    assert reopen().is_damaged


@pytest.mark.parametrize(("seen", "damaged"), [(0, False), (2, False), (3, True)])
def test_a_file_older_than_what_the_other_side_saw_is_not_believed(
    reopen: Reopen, seen: int, damaged: bool
) -> None:
    journal = reopen()
    _two_jobs(journal)

    journal.compare(seen)

    assert journal.is_damaged is damaged


def test_what_is_settled_and_old_is_left_out_and_the_count_goes_on(
    reopen: Reopen, path: Path
) -> None:
    journal = reopen()
    _two_jobs(journal)
    journal.intend(THIRD, 3, NOW + 3, {})
    journal.settle(THIRD, NOW + 60, {"outcome": "failed"})

    journal.forget(NOW + 30)

    again = reopen()
    assert [again.knows(job) for job in (FIRST, SECOND, THIRD)] == [False, True, True]
    assert (again.is_damaged, again.sequence) == (False, 3)
    assert [entry.job for entry in again.unsettled()] == [str(SECOND)]
    assert list(path.parent.iterdir()) == [path]
    assert again.intend(UUID(int=4), 4, NOW, {})


def test_the_count_goes_on_when_everything_was_left_out(reopen: Reopen) -> None:
    journal = reopen()
    journal.intend(FIRST, 7, NOW, {})
    journal.settle(FIRST, NOW, {})

    journal.forget(NOW + 1)

    assert (reopen().sequence, reopen().times()) == (7, [])


def test_a_result_is_brought_until_it_was_taken(reopen: Reopen) -> None:
    _two_jobs(reopen())
    journal = reopen()
    assert [entry.job for entry in journal.unreported()] == [str(FIRST)]

    journal.note_reported(FIRST, NOW + 5)
    journal.note_reported(FIRST, NOW + 6)
    journal.note_reported(SECOND, NOW + 6)

    again = reopen()
    assert (again.unreported(), len(again.unsettled())) == ([], 1)
    assert again.find_result(FIRST) == {"outcome": "succeeded"}
    assert (again.find_intent(SECOND), again.find_result(SECOND)) == (WITNESS, None)


def test_a_disk_that_is_full_leaves_the_old_file_when_it_is_tidied(
    reopen: Reopen, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = reopen()
    _two_jobs(journal)
    before = path.read_bytes()

    real, left = os.fsync, 0

    def full(number: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "no space left")
        real(number)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        for allowed in (0, 1):
            left = allowed
            with pytest.raises(OSError, match="no space"):
                journal.forget(NOW + 999)

    assert (path.read_bytes(), list(path.parent.iterdir())) == (before, [path])
    assert not journal.is_damaged
    assert journal.intend(THIRD, 3, NOW, {})
    assert [entry.job for entry in reopen().unsettled()] == [str(SECOND), str(THIRD)]


def test_one_process_holds_it_and_its_owner_alone_reads_it(reopen: Reopen, path: Path) -> None:
    _two_jobs(reopen())

    with pytest.raises(JournalInUse):
        Journal(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_replaced_while_it_was_opened_is_not_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock

    def slow(number: int, how: int) -> None:
        real(number, how)
        fresh = path.with_name("fresh")
        fresh.write_bytes(b"")
        fresh.replace(path)

    monkeypatch.setattr(fcntl, "flock", slow)

    with pytest.raises(JournalInUse):
        Journal(path)


KILLED = """
import sys
from pathlib import Path
from uuid import UUID
from writeback.agent.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(1, 10_000):
    journal.intend(UUID(int=number), number, number, {"controller": "dc1"})
    print(number, flush=True)
"""


def test_a_killed_agent_has_every_intent_it_spoke_of_on_disk(path: Path, reopen: Reopen) -> None:
    command = [sys.executable, "-c", KILLED, str(path)]
    agent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert agent.stdout is not None
    for _ in range(40):
        said = agent.stdout.readline()
    os.kill(agent.pid, signal.SIGKILL)
    rest = agent.stdout.read().split()
    agent.wait()
    agent.stdout.close()

    journal = reopen()

    last = int(rest[-1] if rest else said)
    assert not journal.is_damaged
    assert last <= len(journal.unsettled()) <= last + 1
