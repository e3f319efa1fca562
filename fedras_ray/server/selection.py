"""Whom the server asks next, out of those who are idle.

U clients, m idle ones, C device classes. Everything here is a function of arrays, O(U) at most, and draws
from the generator it is given. What is returned are *places* in the array of idle clients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.base import unknown
from fedras_ray.config.pacing import (
    AvailableSelection,
    ClassSelection,
    SelectionConfig,
    UniformSelection,
    UtilitySelection,
)
from fedras_ray.errors import ConfigError
from fedras_ray.server.utility import History, explored_share, utilities

Clients = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Candidates(NamedTuple):
    """What the server knows of its clients when it chooses."""

    device_class: NDArray[np.int8]  # (U,)
    shares: Floats  # (C,) of each class, adding up to 1 (`class_shares`)
    samples: NDArray[np.int64]  # (U,) of one epoch
    expected_turn_s: Floats  # (U,) predicted full work, above 0
    history: History
    version: int  # of the server's table now
    available: Mask | None = None  # (U,) who is on; None: everybody
    preferred: Mask | None = None  # (U,) whom it costs least to ask now, before others; None: no matter


def select(idle: Clients, count: int, rng: Generator, preferred: Mask | None = None) -> Clients:
    """Places in `idle` of up to `count` distinct clients, uniformly; those of `preferred` (U,) first."""
    count = min(count, len(idle))
    if preferred is None and count == 1:  # as most often where there are no rounds
        return np.array([rng.integers(len(idle))])  # the draw that `choice` makes, in a third of the time
    if preferred is None:
        return rng.choice(len(idle), size=count, replace=False, shuffle=False)
    wanted = preferred[idle]  # (idle,)
    first, others = np.flatnonzero(wanted), np.flatnonzero(~wanted)
    taken = rng.choice(first, size=min(count, len(first)), replace=False, shuffle=False)
    if len(taken) == count:
        return taken
    return np.concatenate([taken, rng.choice(others, size=count - len(taken), replace=False, shuffle=False)])


def choose(
    config: SelectionConfig, idle: Clients, count: int, rng: Generator, candidates: Candidates
) -> Clients:
    """Places in `idle` (m,) of up to `count` distinct clients.

    Fewer than `count` only where not as many are idle (and on, but for `uniform`, which does not ask).
    """
    match config:
        case UniformSelection():
            return select(idle, count, rng, candidates.preferred)
        case AvailableSelection():
            on = _on(idle, candidates.available)
            return on[select(idle[on], count, rng, candidates.preferred)]
        case ClassSelection():
            return _preferred_first(_by_class, idle, count, rng, candidates)
        case UtilitySelection():

            def by_utility(idle: Clients, count: int, rng: Generator, candidates: Candidates) -> Clients:
                return _by_utility(config, idle, count, rng, candidates)

            return _preferred_first(by_utility, idle, count, rng, candidates)


def class_shares(config: SelectionConfig, class_names: tuple[str, ...]) -> Floats:
    """The share (C,) of every device class: as configured, or the same for all.

    Raises:
        ConfigError: the fleet has no class of a name that is configured.
    """
    shares = config.shares if isinstance(config, ClassSelection) else {}
    for name in shares:
        if name not in class_names:
            raise ConfigError(f"selection.shares.{name}", unknown(name, list(class_names)))
    weights: Floats = np.array([shares.get(name, 0.0) if shares else 1.0 for name in class_names])
    weights /= weights.sum()
    return weights


def quotas(shares: Floats, available: Clients, count: int) -> Clients:
    """How many of each class (C,): `count` by `shares`, largest remainders first, none above `available`.

    What a class cannot give the others do, by their shares; classes without a share come last, evenly.
    """
    quota = np.zeros(len(shares), np.int64)
    for weights in (shares, np.ones(len(shares))):
        while (left := min(count, int(available.sum())) - int(quota.sum())) > 0:
            open_weights = np.where(quota < available, weights, 0.0)
            if not open_weights.any():
                break
            quota = np.minimum(quota + _apportioned(open_weights, left), available)
    return quota


def weighted(weights: Floats, count: int, rng: Generator) -> Clients:
    """Up to `count` distinct places in `weights` (m,), all above 0, one after the other by their weight.

    By the order of exponential arrivals (P. Efraimidis, P. Spirakis, "Weighted random sampling with a
    reservoir", Information Processing Letters 97(5), 2006, doi:10.1016/j.ipl.2005.11.003); O(m).
    """
    count = min(count, len(weights))
    arrival = rng.standard_exponential(len(weights)) / weights
    first = np.argpartition(arrival, count - 1)[:count] if 0 < count < len(weights) else np.arange(count)
    return first[np.argsort(arrival[first], kind="stable")]


Pick = Callable[[Clients, int, Generator, Candidates], Clients]


def _preferred_first(
    pick: Pick, idle: Clients, count: int, rng: Generator, candidates: Candidates
) -> Clients:
    on = _on(idle, candidates.available)
    if candidates.preferred is None:
        return on[pick(idle[on], count, rng, candidates)]
    wanted = candidates.preferred[idle[on]]
    first, others = on[wanted], on[~wanted]
    taken = first[pick(idle[first], count, rng, candidates)]
    if len(taken) == count:
        return taken
    return np.concatenate([taken, others[pick(idle[others], count - len(taken), rng, candidates)]])


def _on(idle: Clients, available: Mask | None) -> Clients:
    """Places of those who are on."""
    return np.arange(len(idle)) if available is None else np.flatnonzero(available[idle])


def _by_class(idle: Clients, count: int, rng: Generator, candidates: Candidates) -> Clients:
    classes = candidates.device_class[idle]  # (m,)
    members = np.bincount(classes, minlength=len(candidates.shares))
    taken = [
        rng.choice(np.flatnonzero(classes == one), size=quota, replace=False, shuffle=False)
        for one, quota in enumerate(quotas(candidates.shares, members, count))
        if quota
    ]
    return np.concatenate(taken) if taken else np.zeros(0, np.int64)


def _by_utility(
    config: UtilitySelection, idle: Clients, count: int, rng: Generator, candidates: Candidates
) -> Clients:
    """Some who were never asked, the quick ones first; of the others those near the best, by utility."""
    count = min(count, len(idle))
    never = candidates.history.never(idle)  # (m,)
    new, known = np.flatnonzero(never), np.flatnonzero(~never)
    share = count * explored_share(config, candidates.version)
    explored = int(share) + int(rng.random() < share % 1)
    explored = max(min(explored, len(new)), count - len(known))
    taken_new = new[weighted(1 / candidates.expected_turn_s[idle[new]], explored, rng)]
    wanted = count - len(taken_new)
    if wanted == 0:
        return taken_new
    score = utilities(
        config, candidates.history, idle[known], candidates.samples, candidates.version
    )  # (known,)
    least = config.cutoff * np.partition(score, -wanted)[-wanted]
    good = np.flatnonzero(score >= least)
    return np.concatenate([taken_new, known[good[weighted(score[good], wanted, rng)]]])


def _apportioned(weights: Floats, count: int) -> Clients:
    """`count` whole parts (C,) by weight: largest remainders, the first where they are equal."""
    exact = count * weights / weights.sum()
    parts: Clients = np.floor(exact).astype(np.int64)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: count - int(parts.sum())]] += 1
    return parts
