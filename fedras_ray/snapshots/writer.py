"""Objects into the tree of JSON and the arrays of an image: see `graph`."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from operator import attrgetter
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.errors import SnapshotError
from fedras_ray.snapshots.kinds import DECLARED, Declared

Tree: TypeAlias = Any  # of JSON
Array: TypeAlias = NDArray[Any]

PLAIN = frozenset({type(None), bool, int, float, str})


class Awaited(Protocol):
    """A result that may be on its way."""

    def apart(self) -> Awaited:
        """The same, to be awaited by another thread."""
        ...

    def result(self) -> Any:
        """Wait for it."""
        ...


class Writer:
    """Writes one image: `node` for each object that it begins with; arrays are copied, or as they are."""

    def __init__(self, copies: bool = True) -> None:
        self.arrays: list[Array] = []
        self.later: list[Awaited] = []
        self.met: dict[int, int] = {}  # id -> place among what is shared
        self.alive: list[Any] = []  # so that no id is used twice
        self._copies = copies

    def node(self, value: Any) -> Tree:
        """The tree of what can be reached from a value."""
        kind = type(value)
        if kind in PLAIN:
            return value
        write = _WRITES.get(kind)
        if write is None:
            write = _WRITES[kind] = _write_of(kind)
        return write(self, value)

    def nodes(self, values: Iterable[Any]) -> Iterable[Tree]:
        """Most are plain, and as they are."""
        if PLAIN.issuperset(map(type, values)):
            return values
        return [each if type(each) in PLAIN else self.node(each) for each in values]

    def pairs(self, value: Mapping[Any, Any]) -> Iterable[Tree]:
        """Keys and values by turns."""
        return (self.node(each) for pair in value.items() for each in pair)

    def array(self, value: Array) -> int:
        """The number of an array that does not change any more."""
        if value.dtype.hasobject:
            raise SnapshotError(f"an array of {value.dtype} is met in the state of a run")
        self.arrays.append(value)
        return len(self.arrays) - 1

    def own_array(self, value: Array) -> int:
        """The number of an array as it is now."""
        return self.array(value.copy() if self._copies else value)

    def awaited(self, value: Awaited) -> Tree:
        """A result that need not be here."""
        self.later.append(value)
        return ["f", len(self.later) - 1]


Write: TypeAlias = Callable[[Writer, Any], Tree]


def _write_of(kind: type) -> Write:
    """How objects of a class are written that was not met before."""
    declared = DECLARED.get(kind.__qualname__)
    if declared is not None and declared.cls is kind:
        return _declared(declared)
    if issubclass(kind, np.generic):
        return lambda _, value: ["n", value.dtype.str, value.item()]
    if hasattr(kind, "result"):
        return Writer.awaited
    raise SnapshotError(
        f"{kind.__module__}.{kind.__qualname__} is met in the state of a run, and not declared: "
        "put @kept() above the class, or leave what holds it out of its owner's @kept(…)"
    )


def _declared(one: Declared) -> Write:
    name, names = one.cls.__qualname__, one.names
    if issubclass(one.cls, Enum):
        return lambda _, value: ["e", name, value.value]
    mark = "p" if one.is_part else "v"
    if issubclass(one.cls, tuple) and names == getattr(one.cls, "_fields", ()):
        return lambda writer, value: [mark, name, *writer.nodes(value)]
    if not names:
        return _shared(lambda writer, value: ["v", name, *writer.pairs(vars(value))])
    fields = attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)
    write: Write = lambda writer, value: [mark, name, *writer.nodes(fields(value))]  # noqa: E731
    return write if issubclass(one.cls, tuple) else _shared(write)


def _shared(write: Write) -> Write:
    def once(writer: Writer, value: Any) -> Tree:
        place = writer.met.get(id(value))
        if place is not None:
            return ["r", place]
        writer.met[id(value)] = len(writer.met)
        writer.alive.append(value)
        return write(writer, value)

    return once


def _sequence(mark: str) -> Write:
    return _shared(lambda writer, value: [mark, *writer.nodes(value)])


def _stream(value: Generator) -> Tree:
    state = value.bit_generator.state
    if state["bit_generator"] != "PCG64":
        raise SnapshotError(f"a stream of {state['bit_generator']} is met in the state of a run")
    return ["g", state]


_WRITES: dict[type, Write] = {  # of every class that was met so far
    tuple: lambda writer, value: ["t", *writer.nodes(value)],
    bytes: lambda writer, value: ["b", writer.array(np.frombuffer(value, np.uint8))],
    np.ndarray: _shared(lambda writer, value: ["a", writer.own_array(value)]),
    bytearray: _shared(lambda writer, value: ["m", writer.array(np.frombuffer(bytes(value), np.uint8))]),
    dict: _shared(lambda writer, value: ["d", *writer.pairs(value)]),
    Counter: _shared(lambda writer, value: ["c", *writer.pairs(value)]),
    set: _shared(lambda writer, value: ["s", *map(writer.node, sorted(value))]),
    Generator: _shared(lambda _, value: _stream(value)),
    list: _sequence("l"),
    deque: _sequence("q"),
}
