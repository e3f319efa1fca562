"""Aggregation that a few clients cannot move far: of all that is said of an entry, its middle.

N rows of all updates of a version together, t touched items, D width. With k clients whose update has row i,
w their weights and power as in `aggregation`, the step of an entry of item i is

    k^(1 - power) · middle of { w_c Δ_c[i] },

where a mean in place of the middle is what `aggregation` does. The middle is the median, or the mean of what
is left after a share of the largest and of the smallest values has been cut off, ⌊share · k⌋ on either side
(D. Yin, Y. Chen, K. Ramchandran, P. Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal
Statistical Rates", ICML 2018, arXiv 1803.01498). A row of zeros is absent.

A middle of middles is not the middle of all, so updates cannot be added up where they arrive: all of their
rows go to the server. They come in the order of shards, whoever has them.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.config.defence import AggregateConfig, TrimmedMean
from fedras_ray.kernels import counting
from fedras_ray.server.folding import Together

Ids: TypeAlias = NDArray[np.int32]
Rows: TypeAlias = NDArray[np.float32]


class Gathering:
    """Updates one after the other, row by row: memory grows with clients."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._ids: list[Ids] = []
        self._rows: list[Rows] = []

    def add(self, update: ItemUpdate, weight: float) -> None:
        """One more decoded update, with its weight."""
        said = update.rows.any(axis=1)
        self._ids.append(update.item_ids[said])
        self._rows.append(np.float32(weight) * update.rows[said])

    def drained(self) -> tuple[Ids, Rows, Ids]:
        """Items (N,), an item as often as it was said something of, their rows (N, D) and ones (N,)."""
        ids = np.concatenate([np.zeros(0, np.int32), *self._ids])
        rows = np.concatenate([np.zeros((0, self._width), np.float32), *self._rows])
        self._ids, self._rows = [], []
        return ids, rows, np.ones(len(ids), np.int32)


def side_by_side(
    left: Ids, left_rows: Rows, left_counts: Ids, right: Ids, right_rows: Rows, right_counts: Ids
) -> tuple[Ids, Rows, Ids]:
    """What two branches have gathered, as one."""
    return (
        np.concatenate([left, right]),
        np.concatenate([left_rows, right_rows]),
        np.concatenate([left_counts, right_counts]),
    )


def together(how: AggregateConfig) -> Together:
    """How what two branches have becomes one."""
    return counting.merged if how.kind == "sum" else side_by_side


def middle_step(ids: Ids, rows: Rows, how: AggregateConfig, power: float) -> tuple[Ids, Rows]:
    """The touched items (t,), increasing, and their steps (t, D).

    Args:
        ids: (N,) items, in any order.
        rows: (N, D) what was said of each.
        how: the middle that is taken.
        power: of the clients of an item.
    """
    order = np.argsort(ids, kind="stable")
    touched, first, count = np.unique(ids[order], return_index=True, return_counts=True)
    sorted_rows = rows[order]
    steps = np.empty((len(touched), rows.shape[1]), np.float32)
    for k in np.unique(count).tolist():
        these = np.flatnonzero(count == k)  # (m,)
        said = sorted_rows[first[these, None] + np.arange(k)]  # (m, k, D)
        steps[these] = float(k) ** (1 - power) * _middle(np.sort(said.astype(np.float64), axis=1), how)
    return touched, steps


def _middle(said: NDArray[np.float64], how: AggregateConfig) -> NDArray[np.float64]:
    """(m, D) of (m, k, D) that increase along k."""
    k = said.shape[1]
    cut = int(how.share * k) if isinstance(how, TrimmedMean) else (k - 1) // 2
    middle: NDArray[np.float64] = said[:, cut : k - cut].mean(axis=1)
    return middle
