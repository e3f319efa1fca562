"""A graph of objects as a tree of JSON and a list of arrays, and back.

Plain values are themselves; everything else is a list that begins with a mark:

    ["l", …] list   ["t", …] tuple   ["s", …] set   ["q", …] deque   ["d", key, value, …] dict, ["c", …]
    Counter   ["a", n] array n   ["b", n] bytes and ["m", n] bytearray, as array n   ["n", dtype, value]
    NumPy's number   ["g", state] stream
    ["e", class, value] enum   ["v", class, …] value   ["p", class, …] part (see `kinds`)
    ["f", n] a result that is awaited, number n   ["r", n] the n-th shared thing, met before

Lists, dicts, arrays, values that are no tuples: what can be changed in place is one thing afterwards where it
was one before. No code is in it, and none is run: a class must have been declared.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from numpy.random import PCG64, Generator

from fedras_ray.errors import SnapshotError, excerpt
from fedras_ray.snapshots.container import MADE_UP, number_type
from fedras_ray.snapshots.kinds import DECLARED
from fedras_ray.snapshots.writer import PLAIN, Array, Awaited, Tree, Writer


class Image(NamedTuple):
    """Objects at one instant."""

    tree: Tree
    arrays: list[Array]
    later: list[Awaited]  # what the tree says is awaited


def image(value: Any, copies: bool = True) -> Image:
    """The image of everything that can be reached from a value.

    Args:
        value: which.
        copies: whether arrays are copied; they need not be where nobody changes them any more.

    Raises:
        SnapshotError: an object's class is not declared.
    """
    writer = Writer(copies)
    return Image(writer.node(value), writer.arrays, writer.later)


def value_of(tree: Tree, arrays: list[Array], there: Any = None, arrived: Callable[[int], Any] = int) -> Any:
    """The objects of an image.

    Args:
        tree: of the image.
        arrays: of the image; they become part of the objects.
        there: the part that the state is put back into, where the image is that of a part.
        arrived: makes the object that stands for the n-th result that was awaited.

    Raises:
        SnapshotError: the tree does not fit the classes of today, or `there`.
    """
    try:
        return _Reader(arrays, arrived).value(tree, there)
    except MADE_UP as error:
        raise SnapshotError(
            f"a snapshot does not fit: {type(error).__name__}: {excerpt(str(error))}"
        ) from error


class _Reader:
    def __init__(self, arrays: list[Array], arrived: Callable[[int], Any]) -> None:
        self._arrays, self._arrived = arrays, arrived
        self._met: list[Any] = []

    def value(self, node: Tree, there: Any = None) -> Any:
        if type(node) in PLAIN:
            return node
        mark, *rest = node
        match mark:
            case "t":
                return tuple(self.value(each) for each in rest)
            case "r":
                return self._met[rest[0]]
            case "b":
                return self._arrays[rest[0]].tobytes()
            case "n":
                return number_type(rest[0]).type(rest[1])
            case "f":
                return self._arrived(rest[0])
            case "e" | "v" | "p":
                return self._declared(mark, rest[0], rest[1:], there)
        return self._container(mark, rest)

    def _container(self, mark: str, rest: list[Tree]) -> Any:
        place = len(self._met)
        self._met.append(None)
        found: Any
        match mark:
            case "a":
                found = self._own_array(rest[0])
            case "m":
                found = bytearray(self._arrays[rest[0]].tobytes())
            case "g":
                found = Generator(PCG64())
                found.bit_generator.state = rest[0]
            case "l":
                found = [self.value(each) for each in rest]
            case "q":
                found = deque(self.value(each) for each in rest)
            case "s":
                found = {self.value(each) for each in rest}
            case "d" | "c":
                found = {} if mark == "d" else Counter()
                found.update(self._pairs(rest))
            case _:
                raise SnapshotError(f"a snapshot has a mark '{mark}', which means nothing")
        self._met[place] = found
        return found

    def _own_array(self, number: int) -> Array:
        """One that can be written to: what lies in memory that processes share cannot."""
        found = self._arrays[number]
        return found if found.flags.writeable else found.copy()

    def _pairs(self, rest: list[Tree]) -> dict[Any, Any]:
        values = [self.value(each) for each in rest]
        return dict(zip(values[::2], values[1::2], strict=True))

    def _declared(self, mark: str, name: str, rest: list[Tree], there: Any) -> Any:
        cls, names, is_part = DECLARED[name]
        if is_part is not (mark == "p"):
            raise SnapshotError(f"{name} was not kept as it is today")
        if issubclass(cls, Enum):
            return cls(rest[0])
        if issubclass(cls, tuple):
            if is_part:
                return self._through(there, cls, names, rest)
            return cls(*(self.value(each) for each in rest))
        place = len(self._met)
        self._met.append(None)
        found = self._into(there, cls, names, rest) if is_part else self._made(cls, names, rest)
        self._met[place] = found
        return found

    def _made(self, cls: type, names: tuple[str, ...], rest: list[Tree]) -> Any:
        if names:
            return cls(*(self.value(each) for each in rest))
        found: Any = object.__new__(cls)
        vars(found).update(self._pairs(rest))
        return found

    def _into(self, there: Any, cls: type, names: tuple[str, ...], rest: list[Tree]) -> Any:
        if type(there) is not cls:
            raise SnapshotError(f"the state of a {cls.__name__} does not fit {type(there).__name__}")
        for name, node in zip(names, rest, strict=True):
            setattr(there, name, self.value(node, getattr(there, name, None)))
        return there

    def _through(self, there: Any, cls: type, names: tuple[str, ...], rest: list[Tree]) -> Any:
        """A tuple of parts: each is put back into the one that is there, a list into the list."""
        if type(there) is not cls:
            raise SnapshotError(f"the state of a {cls.__name__} does not fit {type(there).__name__}")
        for name, node in zip(names, rest, strict=True):
            part = getattr(there, name)
            found = self.value(node, part)
            if isinstance(part, list):
                part[:] = found
            elif found is not part:
                raise SnapshotError(f"{cls.__name__}.{name} is no part")
        return there
