"""PURE. A value that must not be shown: passwords, codes, answers, keys on their way."""

from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T", bound=str | bytes)


class Secret(Generic[T]):
    """Wraps a secret so that it reaches no log, traceback, task or document by accident.

    Only `reveal()` gives the value back; a reviewer finds every use by that word.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value: T = value

    def reveal(self) -> T:
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # a secret is never a key of a mapping

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")

    def __getstate__(self) -> Any:
        raise TypeError("a secret is not written anywhere")
