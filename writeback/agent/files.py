"""Files that nobody but the agent reads, whole at every moment."""

import os
from pathlib import Path

FILE_MODE = 0o600


class NotPrivate(Exception):
    """A file that others can read; its text is not believed to be a secret."""


def write_private(path: Path, data: bytes) -> None:
    """Puts the file there in one step, readable by its owner alone."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def read_private(path: Path) -> bytes:
    """Raises NotPrivate, and OSError when it can't be read.

    What systemd hands to a service as a credential may be readable by a group on paper: its access
    list grants the service's own user.
    """
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & (0o027 if _is_credential(path) else 0o077):
            raise NotPrivate(str(path))
        return file.read()


def destroy(path: Path) -> None:
    """Overwrites a file before it is removed. Raises OSError."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _is_credential(path: Path) -> bool:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.resolve().parent == Path(folder).resolve()
