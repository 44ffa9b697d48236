"""Counting password hashes and key derivations where they are made, whoever asks for them."""

import hashlib
import os
from collections.abc import Callable
from typing import Any

import argon2
import argon2._password_hasher
import argon2.low_level


def count_hashes(path: str) -> None:
    """From now on each one adds a byte to the file: `a` argon2, `p` PBKDF2, `s` scrypt."""
    if not path:
        return
    out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for module, name, mark in (
        (argon2.low_level, "hash_secret", b"a"),
        (argon2._password_hasher, "hash_secret", b"a"),
        (argon2._password_hasher, "verify_secret", b"a"),
        (hashlib, "pbkdf2_hmac", b"p"),
        (hashlib, "scrypt", b"s"),
    ):
        setattr(module, name, _counted(getattr(module, name), out, mark))


def _counted(real: Callable[..., Any], out: int, mark: bytes) -> Callable[..., Any]:
    def counted(*arguments: Any, **options: Any) -> Any:
        os.write(out, mark)
        return real(*arguments, **options)

    return counted
