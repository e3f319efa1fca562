"""What is state is declared where it is owned, by a decorator on the class.

``@kept()`` stands above the class of a *value*: all of it is state, and it is made anew from that.
Dataclasses, named tuples, enums, and classes of which every attribute is data.

``@kept("table", "version")`` stands above the class of a *part* of a simulation: these attributes are its
state, all others are made by whoever puts the simulation together, which is deterministic. The state is put
back into a part that is there already.

A class that is in neither way declared is refused, by name, as soon as one of its objects is met.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeVar

Class = TypeVar("Class", bound=type)


class Declared(NamedTuple):
    """How the objects of a class are kept."""

    cls: type
    names: tuple[str, ...]  # of attributes; of a value: the arguments of its class
    is_part: bool


DECLARED: dict[str, Declared] = {}  # by the name in a snapshot


def kept(*names: str) -> Callable[[Class], Class]:
    """See the module; `names` are the attributes of a part, none: the class is that of a value."""

    def declare(cls: Class) -> Class:
        name = cls.__qualname__
        if name in DECLARED and DECLARED[name].cls.__module__ != cls.__module__:
            raise TypeError(f"two classes are kept as {name}: {DECLARED[name].cls} and {cls}")
        DECLARED[name] = Declared(cls, names or _arguments(cls), bool(names))
        return cls

    return declare


def _arguments(cls: type[Any]) -> tuple[str, ...]:
    """What the objects of a class are made of; nothing: their attributes, whatever they are called."""
    if issubclass(cls, Enum):
        return ()
    if is_dataclass(cls):
        return tuple(field.name for field in fields(cls) if field.init)
    return tuple(getattr(cls, "_fields", ()))
