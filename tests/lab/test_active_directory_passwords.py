"""A password is set exactly as it was typed (A-065, A-066)."""

import unicodedata

import pytest

from tests.lab.administrator import Administrator
from tests.lab.fixtures import MakeDirectory
from tests.lab.samba_dc import SambaDc

COMBINING = "Cafe\N{COMBINING ACUTE ACCENT}-Crème-93"
EMOJI = "Kettle \N{GRINNING FACE}\N{EMOJI MODIFIER FITZPATRICK TYPE-4} 93"
JOINED = "Family-\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}-93"
# A directory's own preparation of texts would make each of these into another one (RFC 4013).
PREPARED = "Soft\N{SOFT HYPHEN}-Kettle\N{NO-BREAK SPACE}93-\N{ROMAN NUMERAL NINE}"
FORMATS = "\"; calc & $(id) %0a ' \\ <x> {{7*7}} %s"


def long(length: int) -> str:
    return "".join(f"{number:03x}-Aq" for number in range(length))[:length]


PASSWORDS = {
    "a space before": " Velvet-Kettle-93",
    "spaces around": "  Velvet-Kettle-93  ",
    "a combining mark": COMBINING,
    "emoji": EMOJI,
    "joined characters": JOINED,
    "what preparation would change": PREPARED,
    "signs of formats and shells": FORMATS,
    "quotes": '"Velvet"-93-"',
    "null-like": "Velvet\\0-%00-93",
    "64 characters": long(64),
    "127 characters": long(127),
    "256 characters": long(256),
}


def neighbours(password: str) -> set[str]:
    """What a careless piece of software would have made of it."""
    cut = {password[:-1], password[:127], password[:128], password[:72], password[:14]}
    normal = {
        unicodedata.normalize("NFC", password),
        unicodedata.normalize("NFD", password),
        unicodedata.normalize("NFKC", password),
    }
    return (cut | normal | {password.strip(), password.strip('"'), f'"{password}"'}) - {password}


@pytest.mark.parametrize("kind", PASSWORDS)
def test_exactly_what_was_typed_signs_in_and_nothing_near_it(
    kind: str, dc: SambaDc, administrator: Administrator, active_directory: MakeDirectory
) -> None:
    password = PASSWORDS[kind]
    person = administrator.add_person()
    directory = active_directory()

    with directory.connect() as connection:
        entry = connection.find(administrator.anchor(person))
        assert entry is not None
        assert connection.set_password(entry, password, unlock=True, must_change=False).done

        assert administrator.sign_in(person.login, password) == "ok"
        assert directory.sign_in(entry, password) == "right"
        assert dc.kinit(person.login, password).granted
        for other in sorted(neighbours(password)):
            # Each wrong one counts; nobody shall be locked before the last is tried.
            connection.unlock(entry)
            assert administrator.sign_in(person.login, other) == "52e"
        connection.unlock(entry)

        # And the person's own change knows it as it is.
        later = connection.change_password(entry, password, f"{password[:200]}+4")
        assert later.done

    assert administrator.sign_in(person.login, f"{password[:200]}+4") == "ok"


def test_half_a_character_is_refused_and_the_old_password_stays(
    administrator: Administrator, active_directory: MakeDirectory
) -> None:
    person = administrator.add_person()

    with active_directory().connect() as connection:
        entry = connection.find(administrator.anchor(person))
        assert entry is not None
        change = connection.set_password(entry, "Half-93-\ud83d", unlock=True, must_change=False)

    assert change.cause == "password_rules"
    assert administrator.sign_in(person.login, person.password) == "ok"
