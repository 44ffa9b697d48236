from importlib import import_module

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts.passwords.hashing import OwaspArgon2PasswordHasher

PASSWORD = "Tulip-Harbor-92-lamp"


@pytest.fixture
def hasher() -> OwaspArgon2PasswordHasher:
    return OwaspArgon2PasswordHasher()


def test_a_hash_names_owasps_parameters(hasher: OwaspArgon2PasswordHasher) -> None:
    encoded = hasher.encode(PASSWORD, hasher.salt())
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        (PASSWORD, True),
        (PASSWORD + " ", False),
        (PASSWORD[:-1], False),
        (PASSWORD.lower(), False),
        ("", False),
    ],
)
def test_only_exactly_the_password_verifies(
    hasher: OwaspArgon2PasswordHasher, typed: str, right: bool
) -> None:
    assert hasher.verify(typed, hasher.encode(PASSWORD, hasher.salt())) is right


def test_a_hash_of_other_parameters_verifies_and_is_made_anew(
    hasher: OwaspArgon2PasswordHasher,
) -> None:
    class Cheaper(Argon2PasswordHasher):
        memory_cost = 1024
        parallelism = 1

    older = Cheaper().encode(PASSWORD, hasher.salt())
    assert hasher.verify(PASSWORD, older)
    assert hasher.must_update(older)
    assert not hasher.must_update(hasher.encode(PASSWORD, hasher.salt()))


def test_the_hasher_is_found_by_its_dotted_path() -> None:
    module = import_module("accounts.passwords.hashing")
    assert module.OwaspArgon2PasswordHasher.algorithm == "argon2"
