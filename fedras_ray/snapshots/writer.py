"""Objects into the tree of JSON and the arrays of an image: see `graph`."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
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
SEQUENCES: dict[type, str] = {list: "l", deque: "q"}


class Awaited(Protocol):
    """A result that may be on its way."""

    def result(self) -> Any:
        """Wait for it."""
        ...


class Writer:
    """Writes one image: `node` for each object that it begins with."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self.later: list[Awaited] = []
        self._met: dict[int, int] = {}  # id -> place among what is shared
        self._alive: list[Any] = []  # so that no id is used twice
        self._writes: dict[type, Callable[[Any], Tree]] = {
            tuple: lambda value: ["t", *self._nodes(value)],
            bytes: lambda value: ["b", self._array(np.frombuffer(value, np.uint8))],
            np.ndarray: self._shared(lambda value: ["a", self._array(value.copy())]),
            bytearray: self._shared(lambda value: ["m", self._array(np.frombuffer(bytes(value), np.uint8))]),
            dict: self._shared(lambda value: ["d", *self._pairs(value)]),
            Counter: self._shared(lambda value: ["c", *self._pairs(value)]),
            set: self._shared(lambda value: ["s", *map(self.node, sorted(value))]),
            Generator: self._shared(_stream),
        }
        for kind, mark in SEQUENCES.items():
            self._writes[kind] = self._shared(self._sequence(mark))

    def node(self, value: Any) -> Tree:
        """The tree of what can be reached from a value."""
        kind = type(value)
        if kind in PLAIN:
            return value
        write = self._writes.get(kind)
        if write is None:
            write = self._writes[kind] = self._write_of(kind)
        return write(value)

    def _write_of(self, kind: type) -> Callable[[Any], Tree]:
        """How objects of a class are written that was not met before."""
        declared = DECLARED.get(kind.__qualname__)
        if declared is not None and declared.cls is kind:
            return self._declared(declared)
        if issubclass(kind, np.generic):
            return lambda value: ["n", value.dtype.str, value.item()]
        if hasattr(kind, "result"):
            return self._awaited
        raise SnapshotError(
            f"{kind.__module__}.{kind.__qualname__} is met in the state of a run, and not declared: "
            "put @kept() above the class, or leave what holds it out of its owner's @kept(…)"
        )

    def _declared(self, one: Declared) -> Callable[[Any], Tree]:
        name, names = one.cls.__qualname__, one.names
        if issubclass(one.cls, Enum):
            return lambda value: ["e", name, value.value]
        mark = "p" if one.is_part else "v"
        if issubclass(one.cls, tuple) and names == getattr(one.cls, "_fields", ()):
            return lambda value: [mark, name, *self._nodes(value)]
        if not names:
            return self._shared(lambda value: ["v", name, *self._pairs(vars(value))])
        fields = attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)
        write: Callable[[Any], Tree] = lambda value: [mark, name, *self._nodes(fields(value))]  # noqa: E731
        return write if issubclass(one.cls, tuple) else self._shared(write)

    def _shared(self, write: Callable[[Any], Tree]) -> Callable[[Any], Tree]:
        def once(value: Any) -> Tree:
            place = self._met.get(id(value))
            if place is not None:
                return ["r", place]
            self._met[id(value)] = len(self._met)
            self._alive.append(value)
            return write(value)

        return once

    def _sequence(self, mark: str) -> Callable[[Any], Tree]:
        return lambda value: [mark, *self._nodes(value)]

    def _nodes(self, values: Iterable[Any]) -> Iterable[Tree]:
        """Most are plain, and as they are."""
        if PLAIN.issuperset(map(type, values)):
            return values
        return [each if type(each) in PLAIN else self.node(each) for each in values]

    def _pairs(self, value: dict[Any, Any]) -> Iterable[Tree]:
        return (self.node(each) for pair in value.items() for each in pair)

    def _array(self, value: Array) -> int:
        if value.dtype.hasobject:
            raise SnapshotError(f"an array of {value.dtype} is met in the state of a run")
        self.arrays.append(value)
        return len(self.arrays) - 1

    def _awaited(self, value: Awaited) -> Tree:
        self.later.append(value)
        return ["f", len(self.later) - 1]


def _stream(value: Generator) -> Tree:
    state = value.bit_generator.state
    if state["bit_generator"] != "PCG64":
        raise SnapshotError(f"a stream of {state['bit_generator']} is met in the state of a run")
    return ["g", state]
