"""Arrivals into one step: a weighted sum per item, divided by a power of how many clients spoke.

I items, D width. With update rows Δ_c and weights w_c the step of item i is

    Σ_c w_c Δ_c[i] / count_i^power,    count_i = clients whose update has row i.

``power = 0`` is the sum (popular items leap), ``power = 1`` the mean (rare items crawl at the pace
of one client, popular ones too); in between, an item moves further the more clients agree. A row of
zeros counts as absent, so that a dense upload is aggregated as the sparse one it stands for.

Or it is FedAvg's weighted mean over all clients, where who does not have an item says that it stays:

    Σ_c w_c Δ_c[i] / Σ_c w_c

(McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient Learning of Deep Networks from
Decentralized Data", AISTATS 2017, arXiv 1602.05629; there w_c is the client's number of samples.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.ragged import RaggedUpdates
from fedras_ray.kernels import counting, summing

LEAST_SPAN, ROWS_PER_SPAN = 256, 16  # items at a time; of an update
MOST_FLOATS = 1 << 20  # of them

Ids = NDArray[np.int32]
Rows = NDArray[np.float32]
Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Accumulator:
    """Updates summed one after the other: memory does not grow with clients."""

    item_count: int
    width: int
    total: NDArray[np.float32] = field(init=False)  # (I, D) Σ w Δ
    count: NDArray[np.int32] = field(init=False)  # (I,)

    def __post_init__(self) -> None:
        self.total = np.zeros((self.item_count, self.width), dtype=np.float32)
        self.count = np.zeros(self.item_count, dtype=np.int32)

    def add(self, update: ItemUpdate, weight: float) -> None:
        """Fold one decoded update in, with its weight (staleness × client)."""
        counting.add_rows(self.total, self.count, update.item_ids, update.rows, np.float32(weight))

    def drained(self) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]:
        """The touched items (t,), increasing, their sums (t, D) and counts (t,); nothing is left of them."""
        return counting.drained(self.total, self.count)


def along_tree(
    updates: RaggedUpdates, parts: Sequence[tuple[Numbers, Reals]], joins: Numbers
) -> Iterator[tuple[Ids, Rows, Ids]]:
    """Sums of parts of these, each that of some with their weights, one after the other: as `drained`.

    Args:
        updates: of which these are.
        parts: of each the places (n,) and weights (n,), in the order in which they are added.
        joins: (s,) after each part, how often the newest sum is added to the one before it.
    """
    counts = [len(places) for places, _ in parts]
    places = np.concatenate([places for places, _ in parts])
    weights = np.concatenate([weights for _, weights in parts], dtype=np.float32, casting="same_kind")
    ids, words, taken = updates.item_ids, updates.words, updates.which
    begins = np.concatenate([[0], np.cumsum(counts)])
    per_update = max(1, len(ids) // max(1, len(updates)))
    span = max(LEAST_SPAN, ROWS_PER_SPAN * updates.item_count // per_update)  # few looks at each update
    span = max(1, min(span, updates.item_count, MOST_FLOATS // updates.width))
    found = summing.along_tree(
        ids, words, taken, updates.offsets, places, weights, begins, joins, updates.item_count, span
    )
    for its_ids, rows, its_counts, size in zip(*found, strict=True):
        yield its_ids[:size], rows[:size], its_counts[:size]


def step(
    rows: NDArray[np.float32], counts: NDArray[np.int32], weight: float, power: float | None
) -> NDArray[np.float32]:
    """The steps (t, D) of items, from their sums.

    Args:
        rows: (t, D) Σ w Δ of each item.
        counts: (t,) clients of each item.
        weight: Σ w over all clients.
        power: of the clients of an item; None: the mean over all clients.
    """
    if power is None:
        return rows / np.float32(weight or 1.0)
    divisor = counts.astype(np.float32) ** np.float32(power)
    steps: NDArray[np.float32] = rows / divisor[:, None]
    return steps
