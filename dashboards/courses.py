"""How many actions the updates of each device class had, over virtual time, from the rows of turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboards.recorded import NANOS, Floats, whole, words

BINS = 24  # of time
FEWEST = 3  # uploads of a span whose mean is drawn
MOST_CLASSES = 6  # as many as there are colours: those with most updates


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The mean K of updates that ended in each of B equal spans of time; NaN where they are too few."""

    at_s: Floats  # (B,) the middle of each
    classes: tuple[str, ...]  # C, by name
    mean: Floats  # (C, B)


def course(turns: Any) -> Course | None:
    """Of turns with an upload that has actions; None where all have the same number, or none has any."""
    actions = whole(turns["actions"])
    with_any = actions > 0
    if len(np.unique(actions[with_any])) < 2:
        return None
    actions, at_s = actions[with_any], whole(turns["arrived_at_ns"])[with_any] / NANOS
    codes, names = words(turns["device_class"])
    codes = codes[with_any]
    edges = np.linspace(0.0, at_s.max(), BINS + 1)
    bins = np.clip(np.searchsorted(edges, at_s, side="right") - 1, 0, BINS - 1)
    place = codes * BINS + bins
    count = np.bincount(place, minlength=len(names) * BINS).reshape(len(names), BINS)
    total = np.bincount(place, actions, minlength=len(names) * BINS).reshape(len(names), BINS)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count >= FEWEST)
    drawn = np.where(np.isfinite(mean).any(axis=1), count.sum(axis=1), 0)  # (C,)
    most = np.sort(np.argsort(-drawn, kind="stable")[: min(MOST_CLASSES, np.count_nonzero(drawn))])
    if not len(most):
        return None
    return Course((edges[:-1] + edges[1:]) / 2, tuple(names[one] for one in most), mean[most])
