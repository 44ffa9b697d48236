"""An agent's own keys: who it is, and what passwords are sealed to today."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from writeback.agent.files import destroy, read_private, write_private
from writeback.agent.identity import Identity, NotEnrolled, load_identity
from writeback.agent.keys import KEPT_AFTER, LASTS, DayKeys
from writeback.protocol import key_id, key_text

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SIGNER, API = Ed25519PrivateKey.generate().public_key(), Ed25519PrivateKey.generate().public_key()
IDENTITY = Identity(
    UUID(int=1),
    UUID(int=2),
    UUID(int=3),
    Ed25519PrivateKey.generate(),
    {key_id(SIGNER): SIGNER},
    API,
)
MINUTE = timedelta(minutes=1)


def test_an_identity_is_kept_by_its_owner_alone_and_found_again(tmp_path: Path) -> None:
    IDENTITY.save(tmp_path)

    found = load_identity(tmp_path)

    assert (found.agent, found.tenant, found.group) == (UUID(int=1), UUID(int=2), UUID(int=3))
    assert found.words() == IDENTITY.words()
    assert list(found.signers) == [key_id(SIGNER)]
    assert found.api.public_bytes_raw() == API.public_bytes_raw()
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "private" not in repr(found)


def _write(path: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        write_private(path, text.encode())

    return write


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"agent": 7}', '{"agent": "x"}'])
def test_a_file_that_is_no_identity_is_not_believed(tmp_path: Path, text: str) -> None:
    _write(tmp_path / "identity.json")(text)

    with pytest.raises(NotEnrolled, match="enrol again"):
        load_identity(tmp_path)


@pytest.mark.parametrize("signers", [[], ["AAAA"]])
def test_an_identity_without_a_signer_is_none(tmp_path: Path, signers: list[str]) -> None:
    IDENTITY.save(tmp_path)
    path = tmp_path / "identity.json"
    _write(path)(json.dumps({**json.loads(path.read_text()), "signers": signers}))

    with pytest.raises(NotEnrolled):
        load_identity(tmp_path)


def test_no_identity_or_one_that_others_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled, match="enrol this agent first"):
        load_identity(tmp_path)
    IDENTITY.save(tmp_path)
    (tmp_path / "identity.json").chmod(0o644)
    with pytest.raises(NotEnrolled, match="others can read"):
        load_identity(tmp_path)
    (tmp_path / "identity.json").unlink()
    (tmp_path / "identity.json").mkdir(mode=0o700)
    with pytest.raises(NotEnrolled, match="directory"):
        load_identity(tmp_path)


@pytest.fixture
def keys(tmp_path: Path) -> DayKeys:
    return DayKeys(tmp_path / "keys", IDENTITY)


def _ids(keys: DayKeys) -> list[str]:
    return [key.id for key in keys.offers()]


def test_a_key_lasts_a_day_and_there_is_one_at_every_moment(keys: DayKeys) -> None:
    assert keys.turn(START)
    [first] = keys.offers()
    assert not keys.turn(START + LASTS - MINUTE)
    assert keys.turn(START + LASTS)

    assert len(_ids(keys)) == 2
    assert first.begins == START
    assert first.ends > START + LASTS


def test_the_key_before_is_destroyed_a_while_after_the_new_one_is_known(
    keys: DayKeys, tmp_path: Path
) -> None:
    keys.turn(START)
    [first] = keys.offers()
    keys.note_published([first], START)
    keys.turn(START + LASTS)
    _, second = keys.offers()

    known_at = START + LASTS + 5 * MINUTE
    keys.turn(known_at)
    keys.note_published(keys.offers(), known_at)
    keys.turn(known_at + KEPT_AFTER - MINUTE)
    assert keys.find(first.id) is not None
    assert len(list((tmp_path / "keys").iterdir())) == 2

    keys.turn(known_at + KEPT_AFTER)
    assert keys.find(first.id) is None
    assert keys.find(second.id) is not None
    assert [path.stem for path in (tmp_path / "keys").iterdir()] == [second.id]


def test_a_key_nobody_can_use_any_more_is_destroyed_even_if_no_newer_is_known(
    keys: DayKeys,
) -> None:
    keys.turn(START)
    [first] = _ids(keys)

    keys.turn(START + timedelta(days=3))

    assert first not in _ids(keys)
    assert len(_ids(keys)) == 1


def test_keys_outlive_the_process_and_are_its_owner_s_alone(keys: DayKeys, tmp_path: Path) -> None:
    keys.turn(START)
    keys.note_published(keys.offers(), START)

    again = DayKeys(tmp_path / "keys", IDENTITY)

    assert not again.turn(START + MINUTE)
    assert again.offers()[0].published == START
    assert again.find(_ids(keys)[0]) is not None
    [path] = (tmp_path / "keys").iterdir()
    assert (path.stat().st_mode & 0o777, (tmp_path / "keys").stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )


def test_what_is_told_of_a_key_is_signed_by_the_identity(keys: DayKeys) -> None:
    keys.turn(START)
    [key] = keys.offers()

    told = keys.written(key)

    public = base64.b64decode(told["key"])
    assert public == key.private.public_key().public_bytes_raw()
    begins, ends = (datetime.fromtimestamp(told[name], UTC) for name in ("begins", "ends"))
    text = key_text(IDENTITY.agent, public, begins, ends)
    IDENTITY.private.public_key().verify(base64.b64decode(told["signature"]), text)


def test_a_clock_that_was_put_back_makes_one_key_and_not_many(keys: DayKeys) -> None:
    keys.turn(START)

    made = [keys.turn(START - timedelta(hours=hours)) for hours in (1, 1, 1)]

    assert made == [True, False, False]


def test_a_key_that_others_could_read_or_that_is_none_is_destroyed(
    keys: DayKeys, tmp_path: Path
) -> None:
    keys.turn(START)
    [path] = (tmp_path / "keys").iterdir()
    path.chmod(0o644)
    _write(tmp_path / "keys" / "other.json")("{}")

    again = DayKeys(tmp_path / "keys", IDENTITY)

    assert (again.offers(), list((tmp_path / "keys").iterdir())) == ([], [])
    assert again.turn(START)


def test_what_is_destroyed_is_overwritten_first(tmp_path: Path) -> None:
    path, link = tmp_path / "key", tmp_path / "link"
    write_private(path, b"secret")
    link.hardlink_to(path)

    destroy(path)
    destroy(path)

    assert (path.exists(), link.read_bytes()) == (False, bytes(6))


def test_a_file_is_there_whole_or_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_private(path, b"first")

    def full(number: int) -> None:
        raise OSError(28, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="no space"):
            write_private(path, b"second")

    assert read_private(path) == b"first"
    write_private(path, b"third")
    assert read_private(path) == b"third"
    assert list(tmp_path.iterdir()) == [path]
