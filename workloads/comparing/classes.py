"""Device classes of a comparison: each method's quality for a class beside the reference's for the same.

Who is of which class is known from turns. A client that a method never asked is of the class that it
had in another run under the same seed and fleet: to leave it out would hide those who were left behind.
Clients that no run asked are told apart under no name.

Shares are of the reference's quality for the class, with the 95 % interval of
`fedras_ray.evaluation.comparison`, paired over the users of the class and over seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fedras_ray.evaluation.classes import UNKNOWN, Turns
from fedras_ray.evaluation.comparison import Paired, compare
from workloads.comparing.plan import Plan
from workloads.comparing.scores import Score, mean, score
from workloads.device_classes import read_turns
from workloads.user_quality import UserQuality, read

Directories = Mapping[int, Path]  # by seed
Labels = NDArray[np.int64]  # index into the names, `UNKNOWN` where no run asked


@dataclass(frozen=True, slots=True)
class ClassQuality:
    """A device class under one method."""

    name: str | None  # None: clients that no run asked
    users: float  # measured, a mean over seeds
    turns: float  # of one run, a mean over seeds
    used: float | None  # of these, a fraction; None where there was no turn
    quality: Score | None  # None where a seed has no user of this class
    of_reference: float | None  # None where the reference has no user of this class, or no quality
    of_reference_low: float | None  # None for the reference, and where the fleets differ,
    of_reference_high: float | None  # as users cannot be paired then


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One run: its turns, and its users with their classes; all runs have the same names of classes."""

    names: tuple[str, ...]
    turns: Turns
    users: NDArray[np.int32]  # (E,) ascending
    values: NDArray[np.float64]  # (E,)
    labels: Labels  # (E,)


def classes(
    plan: Plan, directories: Mapping[str, Directories], metric: str
) -> dict[str, tuple[ClassQuality, ...]]:
    """Of every method, by name.

    Args:
        plan: what was compared; methods with the same fleet have the same classes.
        directories: of its finished runs.
        metric: of quality.

    Raises:
        RunError: a file of a run cannot be read, or lacks the metric.
    """
    fleets = {name: one.fleet for name, one in plan.methods.items()}
    runs: dict[str, list[Labelled]] = {name: [] for name in directories}
    for seed in plan.seeds:
        turns = {name: read_turns(own[seed]) for name, own in directories.items()}
        names = tuple(sorted({name for one in turns.values() for name in one.class_names}))
        for name, own in directories.items():
            alike = [turns[other] for other in directories if fleets[other] == fleets[name]]
            runs[name].append(labelled(names, turns[name], read(own[seed], metric), alike))
    base = runs[plan.reference]
    return {
        name: of_method(own, base, paired=name != plan.reference and fleets[name] == fleets[plan.reference])
        for name, own in runs.items()
    }


def labelled(names: tuple[str, ...], turns: Turns, quality: UserQuality, alike: Sequence[Turns]) -> Labelled:
    """A run whose users have the classes that any of some runs of one fleet knows them by."""
    count = 1 + max(int(quality.users.max(initial=0)), *(int(one.client.max(initial=0)) for one in alike), 0)
    known = np.full(count, UNKNOWN, dtype=np.int64)
    for one in alike:
        places = np.array([names.index(name) for name in one.class_names], dtype=np.int64)
        known[one.client] = places[one.device_class]
    return Labelled(names, turns, quality.users, quality.values.astype(np.float64), known[quality.users])


def of_method(own: Sequence[Labelled], base: Sequence[Labelled], *, paired: bool) -> tuple[ClassQuality, ...]:
    """The classes of one method's runs beside those of the reference's, in the same order of seeds."""
    names = sorted({name for run in own for name in run.names})
    found = [_class(name, own, base, paired) for name in (*names, None)]
    return tuple(one for one in found if one.users or one.turns)


def lowest(found: Sequence[ClassQuality]) -> ClassQuality | None:
    """The class with the smallest share of the reference's quality; None where classes are not told apart."""
    known = [one for one in found if one.name is not None and one.of_reference is not None]
    return min(known, key=lambda one: one.of_reference or 0.0) if len(known) > 1 else None


def _class(name: str | None, own: Sequence[Labelled], base: Sequence[Labelled], paired: bool) -> ClassQuality:
    ours, theirs = [_values(run, name) for run in own], [_values(run, name) for run in base]
    turns = [_turns(run, name) for run in own]
    quality = score([float(one.mean()) for one in ours]) if all(map(len, ours)) else None
    low = high = share = None
    if quality is not None and all(map(len, theirs)):
        whole = mean([float(one.mean()) for one in theirs])
        share = quality.mean / whole if whole else None
        if paired and share is not None:
            low, high = _interval(name, own, base, whole)
    return ClassQuality(
        name=name,
        users=mean([len(one) for one in ours]),
        turns=mean([len(one) for one in turns]),
        used=float(np.concatenate(turns).mean()) if any(map(len, turns)) else None,
        quality=quality,
        of_reference=share,
        of_reference_low=low,
        of_reference_high=high,
    )


def _interval(
    name: str | None, own: Sequence[Labelled], base: Sequence[Labelled], whole: float
) -> tuple[float, float]:
    users = np.unique(np.concatenate([run.users[_own(run, name)] for run in base]))
    found = compare(_paired(own, name, users), _paired(base, name, users))
    return 1 + found.low / whole, 1 + found.high / whole


def _paired(runs: Sequence[Labelled], name: str | None, users: NDArray[np.int32]) -> Paired:
    """(S, U) with NaN where a user is of another class, or has no test item, under a seed."""
    table = np.full((len(runs), len(users)), np.nan)
    for row, run in zip(table, runs, strict=True):
        row[np.searchsorted(users, run.users[_own(run, name)])] = _values(run, name)
    return table


def _own(run: Labelled, name: str | None) -> NDArray[np.bool_]:
    place = UNKNOWN if name is None else run.names.index(name) if name in run.names else len(run.names)
    return np.equal(run.labels, place)


def _values(run: Labelled, name: str | None) -> NDArray[np.float64]:
    return run.values[_own(run, name)]


def _turns(run: Labelled, name: str | None) -> NDArray[np.bool_]:
    """Of each turn of a class whether it was used."""
    places = [place for place, other in enumerate(run.turns.class_names) if other == name]
    return run.turns.used[np.isin(run.turns.device_class, places)]
