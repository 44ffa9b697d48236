"""What a YubiKey types: the published example, what is no touch, what another key made."""

import pytest

from accounts.yubikey import MODHEX, checksum, find_opened, find_touch, is_public_id, to_modhex
from tests.credentials import YubiKey

KEY = YubiKey(bytes.fromhex("000000000147"), bytes(range(16)), b"secret", sessions=0x1234)


def test_the_published_example_opens() -> None:
    # The test vector that comes with the keys' own tools: key, block and what it holds.
    key = bytes.fromhex("ecde18dbe76fbd0c33330f1c354871db")
    block = "dteffujehknhfjbrjnlnldnhcujvddbikngjrtgh"
    touch = find_touch(block[:12] + block[8:])

    found = find_opened(key, bytes.fromhex(_from_modhex(block[8:])))

    assert touch is not None
    assert found is not None
    assert found.private_id.hex() == "8792ebfe26cc"
    assert found.position == 19 << 8 | 17


def _from_modhex(text: str) -> str:
    return "".join(f"{MODHEX.index(sign):x}" for sign in text)


def test_each_touch_is_later_than_the_one_before() -> None:
    positions = []
    for number in range(4):
        if number == 2:
            KEY.plug_in()
        touch = find_touch(KEY.touch())
        assert touch is not None
        opened = find_opened(KEY.key, touch.block)
        assert opened is not None
        assert opened.private_id == KEY.private
        positions.append(opened.position)

    assert positions == sorted(set(positions))
    last = find_touch(KEY.touch())
    assert last is not None
    assert find_opened(bytes(16), last.block) is None


@pytest.mark.parametrize(
    "typed",
    ["", "c" * 43, "c" * 45, "a" * 44, "c" * 43 + "\u0441", "c" * 100_000, "\x00" * 44],
    ids=range(7),
)
def test_what_no_key_types_is_no_touch(typed: str) -> None:
    assert find_touch(typed) is None


def test_capitals_and_blanks_around_a_touch_do_not_matter() -> None:
    typed = KEY.typed(1, 1)

    found = find_touch(f" {typed.upper()}\r\n")

    assert found is not None
    assert found.text == typed
    assert found.public_id == KEY.public_id
    assert typed not in repr(found)


def test_modhex_and_checksum() -> None:
    assert to_modhex(bytes.fromhex("0123456789abcdef")) == "cbdefghijklnrtuv"
    assert is_public_id("cccccccbhilk")
    assert not is_public_id("cccccccbhila")
    body = bytes(range(14))
    assert checksum(body + (checksum(body) ^ 0xFFFF).to_bytes(2, "little")) == 0xF0B8
