#!/usr/bin/python3 -I
"""What Windows refuses and Samba does not: asked by Samba before it sets a password.

Usage: check_password.py FOLDER, the password on standard input. Refuses by its exit code what is
not complex enough, because Samba asks this in place of its own check of that. While FOLDER holds a
file `strict` it also refuses the account's name in the password and the account's last passwords,
even where an administrator sets them. What it remembers is the lab's own.
"""

import hashlib
import os
import sys
from pathlib import Path

REMEMBERED = 5
KINDS = 3


def kinds(password: str) -> int:
    """How many kinds of characters there are: of five, as Windows counts."""
    letters = [char for char in password if char.isalpha()]
    found = (
        any(char.isupper() for char in letters),
        any(char.islower() for char in letters),
        any(not char.isupper() and not char.islower() for char in letters),
        any(char.isdigit() for char in password),
        any(not char.isalnum() for char in password),
    )
    return sum(found)


def main() -> int:
    folder = Path(sys.argv[1])
    password = sys.stdin.read().rstrip("\n")
    if kinds(password) < KINDS:
        return 1
    if not (folder / "strict").exists():
        return 0
    account = os.environ.get("SAMBA_CPS_ACCOUNT_NAME", "").lower()
    if account and account in password.lower():
        return 1
    memory = folder / hashlib.sha256(account.encode()).hexdigest()
    earlier = memory.read_text().split() if memory.exists() else []
    this = hashlib.sha256(f"{account}\0{password}".encode()).hexdigest()
    if this in earlier:
        return 1
    memory.write_text("\n".join([*earlier, this][-REMEMBERED:]))
    return 0


sys.exit(main())
