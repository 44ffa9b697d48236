"""Puts a fault into the running process: what everybody holds of a module is changed in place."""

import enum
import functools
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

_KEPT = ("__name__", "__package__", "__file__", "__spec__", "__loader__", "__builtins__")
_OF_A_CLASS = {"__dict__", "__weakref__", "__doc__", "__module__", "__dataclass_fields__"}


class NotPlantable(Exception):
    """This fault takes effect only when the module is imported afresh."""


class NotImportable(Exception):
    """With this fault the module can't even be imported."""


def plant(module: types.ModuleType, code: types.CodeType, scope: str) -> None:
    """`code` is the whole module with one fault; `scope` the function it is in, or "".

    Raises NotPlantable and NotImportable.
    """
    fresh: dict[str, Any] = {name: module.__dict__[name] for name in _KEPT}
    try:
        exec(code, fresh)  # noqa: S102 - our own module, changed in one place
    except Exception as error:
        raise NotImportable from error
    if scope:
        _adopt(_found(module.__dict__, scope), _found(fresh, scope))
        forget_caches(module)
        return
    # Its own ones, that is; what it imports is the same as before.
    classes = {
        new: old
        for name, new in fresh.items()
        if isinstance(new, type)
        and isinstance(old := module.__dict__.get(name), type)
        and new is not old
    }
    for name, new in fresh.items():
        if name not in _KEPT:
            _merge(module, name, new, classes)
    forget_caches(module)


def forget_caches(module: types.ModuleType) -> None:
    """What functions of the module remember was computed without the fault."""
    for value in list(module.__dict__.values()):
        if isinstance(value, functools._lru_cache_wrapper):
            value.cache_clear()


def _found(names: Mapping[str, Any], scope: str) -> Any:
    first, *rest = scope.split(".")
    found = names[first]
    for name in rest:
        found = found.__dict__[name]
    return found


def _functions(value: Any) -> Iterator[types.FunctionType]:
    """The functions behind decorators and properties, outermost first."""
    while value is not None:
        if isinstance(value, types.FunctionType):
            yield value
        if isinstance(value, property):
            value = value.fget
        elif isinstance(value, classmethod | staticmethod):
            value = value.__func__
        else:
            value = getattr(value, "__wrapped__", None)


def _adopt(old: Any, new: Any) -> None:
    """Functions that are held elsewhere do from now on what the new ones do."""
    pairs = list(zip(_functions(old), _functions(new), strict=True))
    if not pairs:
        raise NotPlantable("no function")
    for kept, other in pairs:
        if kept.__code__.co_freevars != other.__code__.co_freevars:
            raise NotPlantable("another closure")
        kept.__code__ = other.__code__


def _merge(module: Any, name: str, new: Any, classes: Mapping[type, type]) -> None:
    old = module.__dict__.get(name)
    if isinstance(new, type) and new in classes:
        _merge_class(classes[new], new, classes)
    elif next(_functions(new), None) is not None:
        if getattr(new, "__module__", "") == module.__name__:
            _merge_function(old, new, classes)
    elif not isinstance(new, types.ModuleType) and repr(old) != repr(new):
        _rebrand(new, classes)
        _replace(name, old, new)


def _merge_function(old: Any, new: Any, classes: Mapping[type, type]) -> None:
    _adopt(old, new)
    for kept, other in zip(_functions(old), _functions(new), strict=True):
        _rebrand((other.__defaults__, other.__kwdefaults__), classes)
        kept.__defaults__, kept.__kwdefaults__ = other.__defaults__, other.__kwdefaults__
        for mine, its in zip(kept.__closure__ or (), other.__closure__ or (), strict=True):
            if repr(mine.cell_contents) != repr(its.cell_contents):
                _rebrand(its.cell_contents, classes)
                if not callable(its.cell_contents):
                    mine.cell_contents = its.cell_contents


def _merge_class(old: type, new: type, classes: Mapping[type, type]) -> None:
    if issubclass(new, enum.Enum):
        if [(each.name, each.value) for each in new] != [(e.name, e.value) for e in old]:  # type: ignore[attr-defined]
            raise NotPlantable("an enumeration")
        return
    if set(vars(old)) != set(vars(new)):
        raise NotPlantable("other attributes")
    for name, value in vars(new).items():
        if name in _OF_A_CLASS:
            continue
        kept = vars(old)[name]
        if next(_functions(value), None) is not None:
            _merge_function(kept, value, classes)
        elif repr(kept) != repr(value) and not isinstance(value, types.MemberDescriptorType):
            _rebrand(value, classes)
            setattr(old, name, value)


def _rebrand(value: Any, classes: Mapping[type, type]) -> None:
    """What was made of new classes becomes of the old ones, which everybody compares with."""
    if type(value) in classes:
        object.__setattr__(value, "__class__", classes[type(value)])
        value = vars(value)
    if isinstance(value, Mapping):
        for pair in list(value.items()):
            _rebrand(pair, classes)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            _rebrand(each, classes)


def _replace(name: str, old: Any, new: Any) -> None:
    """The value in every module that has it under this name."""
    for other in list(sys.modules.values()):
        held = getattr(other, "__dict__", None)
        if isinstance(held, dict) and name in held and held[name] is old:
            held[name] = new
