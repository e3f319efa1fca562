"""Time to target: when, and after how many bytes, a run is first as good as a share of the reference's best.

Under each seed the goal is a share of the best quality that any evaluation of the reference's run had.
A run reaches it at its *first evaluation* at or above it: nothing is interpolated, as between two
evaluations nobody has looked. So a time is the latest it can be, and that of the evaluation before
stands beside it. A run that never gets there has no time, whatever the others have, and then the
method has no mean: a mean over those that arrived would reward failing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from dashboards.curves import Curve, read
from dashboards.recorded import FILE
from fedras_ray.errors import RunError
from workloads.comparing.scores import Ratio, Score, ratio, score

Directories = Mapping[int, Path]  # by seed
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Reached:
    """One run's way to the goal; what it has no answer to is None."""

    seed: int
    goal: float
    best: float  # quality of any of its evaluations
    best_of_reference: float | None  # as a share of the best of the reference's; None where that is 0
    version: int | None  # of the evaluation that reached it
    seconds: float | None  # virtual
    seconds_before: float | None  # of the evaluation before, which was below the goal
    bytes: float | None  # up and down, since the start
    up_bytes: float | None
    down_bytes: float | None
    times_faster: float | None  # than the reference under this seed; None where either took no time
    times_fewer_bytes: float | None


@dataclass(frozen=True, slots=True)
class Target:
    """A method's way to the goal; means are None where a seed never reached it."""

    reached: int  # seeds
    seconds: Score | None
    bytes: Score | None
    times_faster: Ratio | None
    times_fewer_bytes: Ratio | None
    seeds: tuple[Reached, ...]

    @property
    def never(self) -> tuple[Reached, ...]:
        """The seeds that did not."""
        return tuple(one for one in self.seeds if one.seconds is None)


def targets(
    methods: Mapping[str, Directories], reference: str, metric: str, share: float
) -> dict[str, Target]:
    """Of every method, by name.

    Args:
        methods: directories of finished runs, under the same seeds.
        reference: the method whose best quality sets the goal.
        metric: of quality.
        share: of that best quality.

    Raises:
        RunError: a run's records cannot be read, or have no evaluation with this metric.
    """
    curves = {
        name: {seed: _curve(path, metric) for seed, path in own.items()} for name, own in methods.items()
    }
    best = {seed: float(curve.quality[metric].max()) for seed, curve in curves[reference].items()}
    ways = {
        name: [first(curve, metric, seed, best[seed], share) for seed, curve in own.items()]
        for name, own in curves.items()
    }
    base = {one.seed: one for one in ways[reference]}
    return {name: over_seeds([beside(one, base[one.seed]) for one in own]) for name, own in ways.items()}


def first(curve: Curve, metric: str, seed: int, best: float, share: float) -> Reached:
    """The first evaluation at or above a share of the reference's best, on a curve of at least one point."""
    values = curve.quality[metric]
    goal, own = share * best, float(values.max())
    there = np.flatnonzero(values >= goal)
    if not len(there):
        return Reached(seed, goal, own, own / best, *[None] * 8)
    at = int(there[0])
    return Reached(
        seed=seed,
        goal=goal,
        best=own,
        best_of_reference=own / best if best else None,
        version=int(curve.version[at]),
        seconds=float(curve.at_s[at]),
        seconds_before=float(curve.at_s[at - 1]) if at else None,
        bytes=float(curve.sent_bytes[at]),
        up_bytes=float(curve.up_bytes[at]),
        down_bytes=float(curve.down_bytes[at]),
        times_faster=None,
        times_fewer_bytes=None,
    )


def beside(one: Reached, base: Reached) -> Reached:
    """The same with its ratios to the reference's way under the same seed."""
    return replace(
        one,
        times_faster=_times(base.seconds, one.seconds),
        times_fewer_bytes=_times(base.bytes, one.bytes),
    )


def over_seeds(seeds: Sequence[Reached]) -> Target:
    """One method's ways together."""
    return Target(
        reached=sum(one.seconds is not None for one in seeds),
        seconds=_whole(score, [one.seconds for one in seeds]),
        bytes=_whole(score, [one.bytes for one in seeds]),
        times_faster=_whole(ratio, [one.times_faster for one in seeds]),
        times_fewer_bytes=_whole(ratio, [one.times_fewer_bytes for one in seeds]),
        seeds=tuple(seeds),
    )


def coarse(target: Target) -> float:
    """The largest share of a time that passed since the evaluation before."""
    return max(
        (
            1 - one.seconds_before / one.seconds
            for one in target.seeds
            if one.seconds and one.seconds_before is not None
        ),
        default=0.0,
    )


def _curve(directory: Path, metric: str) -> Curve:
    found = read(directory / FILE).of(metric)
    if not len(found.version):
        raise RunError(f"{directory / FILE} has no evaluation with {metric}; choose another --metric")
    return found


def _times(reference: float | None, own: float | None) -> float | None:
    return reference / own if reference and own else None


def _whole(gather: Callable[[Sequence[float]], Kind], values: Sequence[float | None]) -> Kind | None:
    """Nothing where a seed has none."""
    known = [value for value in values if value is not None]
    return gather(known) if len(known) == len(values) else None
