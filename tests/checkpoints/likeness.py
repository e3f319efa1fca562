"""Whether two simulations are in the same state, attribute by attribute, down to the last array."""

from collections import deque
from enum import Enum

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel

# Made anew on demand, from what is compared, or by whoever puts a simulation together
MEMOS = {
    "_weights": "a function of staleness",
    "_sizes": "lengths of messages that the state determines",
    "_forecast": "made where somebody looks ahead",
    "_block": "drawn points of a process",
    "_phase": "drawn phases of a trace",
    "_executor": "compared by its states",
    "said": "told before",
}


def differences(one, other, where="simulation", met=None):
    """Paths to whatever is not the same."""
    met = {} if met is None else met
    if id(one) in met:
        return [] if met[id(one)][1] is other else [f"{where}: not the same thing as before"]
    if isinstance(one, np.ndarray):
        return [] if np.array_equal(one, other) and one.dtype == other.dtype else [where]
    if isinstance(one, Generator):
        return [] if one.bit_generator.state == other.bit_generator.state else [where]
    if hasattr(type(one), "result"):
        return differences(one.result(), other.result(), where, met)
    if type(one) is not type(other):
        return [f"{where}: {type(one)} and {type(other)}"]
    if isinstance(
        one, bool | int | float | str | bytes | bytearray | type(None) | Enum | BaseModel | np.generic
    ):
        return [] if one == other else [f"{where}: {one} and {other}"]
    if isinstance(one, list | deque | dict | set) or hasattr(one, "__dict__"):
        met[id(one)] = one, other  # alive, so that no id is used twice
    return [
        found
        for name, mine, theirs in _parts(one, other, where)
        for found in differences(mine, theirs, f"{where}.{name}", met)
    ]


def _parts(one, other, where):
    if isinstance(one, dict):
        assert list(one) == list(other), where
        return [(key, one[key], other[key]) for key in one]
    if isinstance(one, set):
        return [("elements", sorted(one), sorted(other))]
    if isinstance(one, list | tuple | deque):
        assert len(one) == len(other), where
        return [(number, *pair) for number, pair in enumerate(zip(one, other, strict=True))]
    if not type(one).__module__.startswith("fedras_ray"):
        return []  # functions, codecs' arrays of constants
    slots = [name for cls in type(one).__mro__ for name in getattr(cls, "__slots__", ())]
    names = [*vars(one)] if hasattr(one, "__dict__") else slots
    return [(name, getattr(one, name), getattr(other, name)) for name in names if name not in MEMOS]
