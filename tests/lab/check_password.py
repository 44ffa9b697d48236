#!/usr/bin/python3 -I
"""What Windows refuses and Samba does not: asked by Samba before it sets a password.

Usage: check_password.py FOLDER, the password on standard input. Refuses by its exit code while
FOLDER holds a file `strict`: the account's name in the password, and the account's last passwords,
also where an administrator sets them. What it remembers is the lab's own.
"""

import hashlib
import os
import sys
from pathlib import Path

REMEMBERED = 5


def main() -> int:
    folder = Path(sys.argv[1])
    if not (folder / "strict").exists():
        return 0
    password = sys.stdin.read().rstrip("\n")
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
