"""Device classes side by side: what their turns cost, what became of them, how good their users' lists are.

T turns, C clients, K classes, E users that were measured. A client is a user: both have one number.
A client's class is known from its turns; one that never had a turn is of no known class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
SLOW = 0.95  # the quantile of turn times that is told beside the median

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """The columns of a run's turns.

    Raises:
        ValueError: they differ in length.
    """

    client: Whole  # (T,)
    device_class: Whole  # (T,) index into class_names
    class_names: tuple[str, ...]  # (K,)
    used: NDArray[np.bool_]  # (T,) aggregated into a version
    actions: Whole  # (T,) 0 where the codec has none
    up_bytes: Whole  # (T,)
    down_bytes: Whole  # (T,)
    turn_s: Floats  # (T,) from dispatch to arrival

    def __post_init__(self) -> None:
        columns = (self.device_class, self.used, self.actions, self.up_bytes, self.down_bytes, self.turn_s)
        if any(len(column) != len(self.client) for column in columns):
            raise ValueError("the columns of turns differ in length")


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One device class over a whole run; means and quantiles None: nothing to take them of."""

    name: str | None  # None: clients that never had a turn
    clients: int  # with at least one turn
    turns: int
    used: int
    wasted: int  # whatever was not used, whyever
    median_actions: float | None
    up_bytes_per_turn: float | None
    down_bytes_per_turn: float | None
    median_turn_seconds: float | None
    p95_turn_seconds: float | None
    users: int  # measured
    quality: Mapping[str, float]  # means over these users; empty where there is none


def known_classes(turns: Turns, count: int) -> Whole:
    """(C,) the class of each of `count` clients, `UNKNOWN` for those without a turn.

    Raises:
        ValueError: a client has a number that is not below `count`.
    """
    if len(turns.client) and int(turns.client.max()) >= count:
        raise ValueError(f"client {int(turns.client.max())} is not one of {count} clients")
    found = np.full(count, UNKNOWN, dtype=np.int64)
    found[turns.client] = turns.device_class
    return found


def turns_per_client(turns: Turns, count: int) -> Whole:
    """(C,) how many turns each of `count` clients had: what participation is judged by."""
    return np.bincount(turns.client, minlength=count).astype(np.int64)


def turns_per_class(turns: Turns) -> Floats:
    """(K,) mean number of turns of a class's clients that had one."""
    clients = np.array(
        [len(np.unique(turns.client[turns.device_class == place])) for place in range(len(turns.class_names))]
    )
    often = np.bincount(turns.device_class, minlength=len(turns.class_names))
    return np.asarray(often / np.maximum(clients, 1), dtype=np.float64)


def by_class(
    turns: Turns, count: int, users: Whole, quality: Mapping[str, Floats]
) -> tuple[ClassResult, ...]:
    """Every class that had a turn, by name; last, under no name, the clients that had none, if there are any.

    Args:
        turns: of the whole run.
        count: how many clients there are.
        users: (E,) those that were measured.
        quality: (E,) each.
    """
    known = known_classes(turns, count)
    found = [
        _result(turns, name, turns.device_class == place, known[users] == place, quality)
        for place, name in enumerate(turns.class_names)
    ]
    if (known == UNKNOWN).any():
        nobody = np.zeros(len(turns.client), dtype=np.bool_)
        found.append(_result(turns, None, nobody, known[users] == UNKNOWN, quality))
    return tuple(found)


def _result(
    turns: Turns,
    name: str | None,
    own: NDArray[np.bool_],
    measured: NDArray[np.bool_],
    quality: Mapping[str, Floats],
) -> ClassResult:
    used = int(turns.used[own].sum())
    return ClassResult(
        name=name,
        clients=len(np.unique(turns.client[own])),
        turns=int(own.sum()),
        used=used,
        wasted=int(own.sum()) - used,
        median_actions=_quantile(turns.actions[own], 0.5),
        up_bytes_per_turn=_mean(turns.up_bytes[own]),
        down_bytes_per_turn=_mean(turns.down_bytes[own]),
        median_turn_seconds=_quantile(turns.turn_s[own], 0.5),
        p95_turn_seconds=_quantile(turns.turn_s[own], SLOW),
        users=int(measured.sum()),
        quality={
            metric: float(values[measured].mean(dtype=np.float64))
            for metric, values in quality.items()
            if measured.any()
        },
    )


def _quantile(values: Whole | Floats, share: float) -> float | None:
    known = values[np.isfinite(values)]  # a turn that never arrived took no time that could be told
    return float(np.quantile(known, share)) if len(known) else None


def _mean(values: Whole) -> float | None:
    return float(values.mean()) if len(values) else None
