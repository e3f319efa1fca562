"""What a ``comparison.json`` says of the way to the target, and of device classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.device_classes import NOBODY


@dataclass(frozen=True, slots=True)
class Way:
    """One method's way to the target; numbers are None where a seed never reached it."""

    seconds: float | None
    seconds_error: float | None  # standard error of the mean; None for one seed
    bytes: float | None
    bytes_error: float | None
    times_faster: float | None
    times_fewer_bytes: float | None
    each_seconds: tuple[float, ...]  # of the seeds that reached it
    each_bytes: tuple[float, ...]
    goals: tuple[float, ...]  # by seed
    never: tuple[tuple[int, float | None], ...]  # seeds, and the best they had as a share of the reference's


@dataclass(frozen=True, slots=True)
class ClassShare:
    """One device class under a method; shares are of the reference's quality for the same class."""

    name: str
    users: float
    quality: float | None
    of_reference: float | None
    low: float | None
    high: float | None


def way(tree: Mapping[str, Any]) -> Way:
    """The way in a parsed method.

    Raises:
        LookupError, TypeError, ValueError: it is broken.
    """
    there = [one for one in tree["seeds"] if one["seconds"] is not None]
    never = [one for one in tree["seeds"] if one["seconds"] is None]
    return Way(
        seconds=_of(tree["seconds"], "mean"),
        seconds_error=_of(tree["seconds"], "error"),
        bytes=_of(tree["bytes"], "mean"),
        bytes_error=_of(tree["bytes"], "error"),
        times_faster=_of(tree["times_faster"], "mean"),
        times_fewer_bytes=_of(tree["times_fewer_bytes"], "mean"),
        each_seconds=tuple(float(one["seconds"]) for one in there),
        each_bytes=tuple(float(one["bytes"]) for one in there),
        goals=tuple(float(one["goal"]) for one in tree["seeds"]),
        never=tuple((int(one["seed"]), _of(one, "best_of_reference")) for one in never),
    )


def shares(trees: Sequence[Mapping[str, Any]]) -> tuple[ClassShare, ...]:
    """The device classes in a parsed method.

    Raises:
        LookupError, TypeError, ValueError: one is broken.
    """
    return tuple(
        ClassShare(
            name=NOBODY if one["name"] is None else str(one["name"]),
            users=float(one["users"]),
            quality=_of(one["quality"], "mean"),
            of_reference=_of(one, "of_reference"),
            low=_of(one, "of_reference_low"),
            high=_of(one, "of_reference_high"),
        )
        for one in trees
    )


def _of(tree: Mapping[str, Any] | None, name: str) -> float | None:
    value = None if tree is None else tree[name]
    return None if value is None else float(value)
