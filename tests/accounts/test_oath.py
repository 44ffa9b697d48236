"""Codes of OATH tokens: the published vectors, drift, windows and consecutive codes."""

import pytest

from accounts.oath import RESYNC, OathToken, drift_of, expected, find_pair, find_position

SEED = b"12345678901234567890"
SEED_256 = b"12345678901234567890123456789012"
EVENTS = OathToken(SEED, period=0)
NOW = 1_764_000_000.0


@pytest.mark.parametrize(
    ("position", "code"),
    [(0, "755224"), (1, "287082"), (2, "359152"), (5, "254676"), (9, "520489")],
)
def test_codes_by_events_are_those_of_rfc_4226(position: int, code: str) -> None:
    assert EVENTS.code(position) == code


@pytest.mark.parametrize(
    ("algorithm", "seed", "seconds", "code"),
    [
        ("sha1", SEED, 59, "94287082"),
        ("sha1", SEED, 1111111109, "07081804"),
        ("sha1", SEED, 20000000000, "65353130"),
        ("sha256", SEED_256, 59, "46119246"),
        ("sha256", SEED_256, 1234567890, "91819424"),
        ("sha256", SEED_256, 20000000000, "77737706"),
    ],
)
def test_codes_by_time_are_those_of_rfc_6238(
    algorithm: str, seed: bytes, seconds: int, code: str
) -> None:
    token = OathToken(seed, algorithm, 8, 30)

    assert token.code(seconds // 30) == code


@pytest.mark.parametrize("period", [30, 60])
@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_clock_may_be_a_step_early_or_late(period: int, steps: int, right: bool) -> None:
    token = OathToken(SEED, period=period)
    step = int(NOW) // period

    found = find_position(token, token.code(step + steps), expected(token, -1, 0, NOW), -1)

    assert found == (step + steps if right else None)


def test_a_code_is_right_only_after_the_last_one() -> None:
    token = OathToken(SEED)
    step = int(NOW) // 30
    positions = expected(token, step, 0, NOW)

    assert find_position(token, token.code(step), positions, step) is None
    assert find_position(token, token.code(step - 1), positions, step) is None
    assert find_position(token, token.code(step + 1), positions, step) == step + 1


def test_a_token_by_events_may_have_been_pressed_ten_times_in_vain() -> None:
    positions = expected(EVENTS, 4, 0, NOW)

    assert find_position(EVENTS, EVENTS.code(14), positions, 4) == 14
    assert find_position(EVENTS, EVENTS.code(15), positions, 4) is None
    assert find_position(EVENTS, EVENTS.code(4), positions, 4) is None


def test_what_a_clock_was_off_last_time_is_where_the_next_code_is_looked_for() -> None:
    token = OathToken(SEED)
    step = int(NOW) // 30
    drift = drift_of(token, step + 40, NOW)

    later = NOW + 3600
    there = later // 30 + 40
    found = find_position(token, token.code(int(there)), expected(token, 0, drift, later), 0)

    assert drift == 40
    assert found == there
    assert drift_of(token, step + RESYNC + 1, NOW) == 0
    assert drift_of(token, -1, None) == 0
    assert drift_of(EVENTS, 9, NOW) == 0


@pytest.mark.parametrize("token", [OathToken(SEED), EVENTS], ids=["time", "events"])
def test_two_codes_in_a_row_find_a_token_that_went_astray(token: OathToken) -> None:
    start = int(NOW) // 30 + 60 if token.period else 80

    assert find_pair(token, token.code(start), token.code(start + 1), -1, NOW) == start + 1
    assert find_pair(token, token.code(start), token.code(start + 2), -1, NOW) is None
    assert find_pair(token, token.code(start + 1), token.code(start), -1, NOW) is None
    assert find_pair(token, token.code(start), token.code(start + 1), start, NOW) is None
    far = start + 2 * RESYNC
    assert find_pair(token, token.code(far), token.code(far + 1), -1, NOW) is None


def test_what_is_written_is_read_back() -> None:
    token = OathToken(SEED_256, "sha256", 8, 60)

    assert OathToken.from_json(token.to_json()) == token
    assert SEED_256.hex() not in repr(token)
