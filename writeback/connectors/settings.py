"""PURE. What an administrator wrote about a directory, taken value by value.

A wrong value stops the start with its name and what is right, never with the value itself: it could
be a secret in the wrong place.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path


class SettingWrong(ValueError):
    """`name` holds what can't be right; `fix` is a sentence for whoever wrote it."""

    def __init__(self, name: str, fix: str) -> None:
        super().__init__(f"{name}: {fix}")
        self.name = name
        self.fix = fix


class Written:
    """Settings as they were written. Whatever is left over at the `end` is a mistake."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._left = dict(settings)

    def text(self, name: str, default: str | None = None) -> str:
        """default: nothing where the setting has to be written, and not empty."""
        value = self._left.pop(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise SettingWrong(name, "Write a text.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """At least one text, of a list or alone."""
        value = self._left.pop(name, None)
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list | tuple) or not found:
            raise SettingWrong(name, "Write a list of texts.")
        if not all(isinstance(item, str) and item for item in found):
            raise SettingWrong(name, "Write a list of texts.")
        return tuple(found)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of these, the first where nothing is written."""
        value = self._left.pop(name, choices[0])
        if value not in choices:
            raise SettingWrong(name, f"Write one of {', '.join(choices)}.")
        return str(value)

    def flag(self, name: str) -> bool:
        """False where nothing is written."""
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise SettingWrong(name, "Write true or false.")
        return value

    def seconds(self, name: str, default: float) -> float:
        """More than nothing, at most five minutes."""
        value = self._left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 300:
            raise SettingWrong(name, "Write seconds, at most 300.")
        return float(value)

    def file(self, name: str) -> Path | None:
        value = self._left.pop(name, "")
        if not isinstance(value, str):
            raise SettingWrong(name, "Write the path of a file.")
        return Path(value) if value else None

    def certificates(self, name: str) -> str:
        """Certificates as PEM text, "" where none are written."""
        text = self.text(name, "")
        if text:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
            except (ssl.SSLError, ValueError):
                raise SettingWrong(name, "Write certificates as PEM text.") from None
        return text

    def end(self) -> None:
        """Raises SettingWrong for a name that nobody asked for."""
        for name in sorted(map(str, self._left)):
            raise SettingWrong(name, "There is no such setting.")


def is_sendable(password: str) -> bool:
    """Whether this is a password that can be sent. An empty one means "anonymous" or "make one" to
    a directory; half of a surrogate pair is no character, and no two systems write it alike."""
    return bool(password) and not any("\ud800" <= character <= "\udfff" for character in password)
