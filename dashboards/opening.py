"""The opening of a run: the turns of its first minutes, laid on as many rows as there is room for.

A row is a *place at work*: a turn takes the lowest place that is free when it is dispatched, the
shortest first where several are dispatched at once. So the gap between two turns of a row is a device
not at work while a slower one is waited for. Of more places than can be shown, some at even
distances are, the first and the last among them: fast ones and stragglers.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.recorded import NANOS, Floats, floats, whole, words

TIMES = ("dispatched_at_ns", "started_at_ns", "trained_at_ns", "arrived_at_ns")
COLUMNS = ("client", "device_class", "fate", *TIMES)
USED = "used"
ROWS = 40
TURNS = 600  # shown at most
LOOKED_AT = 100_000  # turns, for those
CLIENTS = 20_000  # turns in the wished time; of more, every n-th client is looked at
VERSIONS = 5  # the wished time is that of so many versions, or of a long turn if that is more
LONG = 1.25  # of the 95 % quantile of the first turns' durations


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn on its row; `times_s` are dispatch, start of training, its end, and arrival."""

    row: int
    client: int
    device_class: str
    fate: str
    times_s: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Opening:
    """What there is to draw of one run, in virtual seconds."""

    turns: tuple[Turn, ...]  # in the order of dispatch
    rows: int
    places: int  # at work at the same time, of which `rows` are shown
    every: int  # every so many-th client is looked at
    start_s: float
    wish_s: float  # the end of what is worth seeing
    limit_s: float  # up to here all turns of the rows are known
    versions: tuple[tuple[int, float], ...]  # number and time, up to the limit


NOTHING = Opening((), 0, 0, 1, 0.0, 0.0, 0.0, ())


def opening(turns: Any, versions: Any) -> Opening:
    """The opening in the rows of two kinds: turns with `COLUMNS`, versions with ``version, at_ns``."""
    if turns.num_rows == 0:
        return NOTHING
    times = _filled(np.column_stack([floats(turns[name]) for name in TIMES]) / NANOS)  # (T, 4)
    client = whole(turns["client"])
    order = np.lexsort((client, times[:, 3], times[:, 0]))
    made_s = np.sort(floats(versions["at_ns"]) / NANOS)
    start_s = float(times[order[0], 0])
    wish_s = _wish(times[order], made_s)
    every = -(-int(np.sum(times[:, 0] <= wish_s)) // CLIENTS)
    order = order[client[order] % every == 0][:LOOKED_AT] if every > 1 else order[:LOOKED_AT]
    if not len(order):
        return NOTHING
    places = _places(times[order])
    count = int(places[times[order, 0] <= wish_s].max(initial=0)) + 1
    kept = np.unique(np.linspace(0, count - 1, min(ROWS, count)).round().astype(np.int64))
    shown = np.flatnonzero(np.isin(places, kept))
    limit_s = _limit(times[order], shown, complete=len(order) < LOOKED_AT)
    rows = np.searchsorted(kept, places)
    classes, fates = words(turns["device_class"]), words(turns["fate"])
    drawn = tuple(
        Turn(
            int(rows[place]),
            int(client[order[place]]),
            _word(classes, order[place]),
            _word(fates, order[place]),
            _four(times[order[place]]),
        )
        for place in shown[:TURNS].tolist()
    )
    return Opening(drawn, len(kept), count, every, start_s, wish_s, limit_s, _made(versions, limit_s))


def _filled(times: Floats) -> Floats:
    """(T, 4) where a step that never came (null) is the next that did: the one before went on until then."""
    known = np.where(times < 0, np.nan, times)
    for step in (2, 1):
        known[:, step] = np.where(np.isnan(known[:, step]), known[:, step + 1], known[:, step])
    for step in (1, 2, 3):
        known[:, step] = np.fmax(known[:, step], known[:, step - 1])
    return known


def _wish(times: Floats, made_s: Floats) -> float:
    start_s, first = times[0, 0], times[:2_000]
    long_s = LONG * float(np.quantile(first[:, 3] - first[:, 0], 0.95))
    some_s = made_s[min(VERSIONS, len(made_s)) - 1] - start_s if len(made_s) else 0.0
    return float(min(start_s + max(long_s, some_s), times[:, 3].max()))


def _places(times: Floats) -> NDArray[np.int64]:
    """(T,) the place of each turn; turns come in the order of dispatch."""
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    taken = np.empty(len(times), dtype=np.int64)
    for turn, (begins, ends) in enumerate(times[:, [0, 3]].tolist()):
        while busy and busy[0][0] <= begins:
            heapq.heappush(free, heapq.heappop(busy)[1])
        place = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (ends, place))
        taken[turn] = place
    return taken


def _limit(times: Floats, shown: NDArray[np.int64], *, complete: bool) -> float:
    if len(shown) > TURNS:
        return float(times[shown[TURNS], 0])
    return float(times[:, 3].max() if complete else times[-1, 0])


def _made(versions: Any, limit_s: float) -> tuple[tuple[int, float], ...]:
    at_s = floats(versions["at_ns"]) / NANOS
    early = np.flatnonzero(at_s <= limit_s)
    numbers = whole(versions["version"])
    return tuple(sorted((int(numbers[index]), float(at_s[index])) for index in early))


def _word(coded: tuple[NDArray[np.int64], Sequence[str]], index: int) -> str:
    return coded[1][int(coded[0][index])]


def _four(times: Floats) -> tuple[float, float, float, float]:
    first, second, third, fourth = times.tolist()
    return first, second, third, fourth
