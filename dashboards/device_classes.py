"""``classes`` of a ``summary.json``: the device classes of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOBODY = "never asked"  # how clients without a turn are spoken of: no class of theirs is known


@dataclass(frozen=True, slots=True)
class DeviceClass:
    """One of them; what there is nothing to take of is None."""

    name: str
    clients: int  # with a turn
    turns: int
    used: int
    wasted: int
    median_actions: float | None
    up_bytes_per_turn: float | None
    down_bytes_per_turn: float | None
    median_turn_seconds: float | None
    p95_turn_seconds: float | None
    users: int  # measured
    quality: Mapping[str, float]


def built(trees: Sequence[Mapping[str, Any]]) -> tuple[DeviceClass, ...]:
    """The classes in a parsed file.

    Raises:
        LookupError, TypeError, ValueError: it is broken.
    """
    return tuple(_one(tree) for tree in trees)


def _one(tree: Mapping[str, Any]) -> DeviceClass:
    def number(name: str) -> float | None:
        return None if tree[name] is None else float(tree[name])

    return DeviceClass(
        name=NOBODY if tree["name"] is None else str(tree["name"]),
        clients=int(tree["clients"]),
        turns=int(tree["turns"]),
        used=int(tree["used"]),
        wasted=int(tree["wasted"]),
        median_actions=number("median_actions"),
        up_bytes_per_turn=number("up_bytes_per_turn"),
        down_bytes_per_turn=number("down_bytes_per_turn"),
        median_turn_seconds=number("median_turn_seconds"),
        p95_turn_seconds=number("p95_turn_seconds"),
        users=int(tree["users"]),
        quality={name: float(value) for name, value in tree["quality"].items()},
    )
