"""Full-catalogue ranking where scores are dot products, without a matrix of scores.

C clients, I items, D width, K ranks looked at, N candidates. `fedras_ray.kernels.ranking` says what a
score is and what a rank is. The bulk is done roughly and fast: a block of clients times a block of items,
as one product of float32 matrices, whose entries are off by no more than γ|q||v| in whatever order a library
sums (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed. 2002, section 3.1). Only items that
may be at or above a client's last open place are scored exactly. Ranks beyond K are of no interest, so a
place closes once K items are above it, and a client is done with when all its places are closed. Items
come by falling length: the score of one that is left is at most |q||v|, so a client is done with, too, when
its open places are all above that (Teflioudi, Gemulla, Mykytiuk, "LEMP: Fast Retrieval of Large Entries in
a Matrix Product", SIGMOD 2015, doi:10.1145/2723372.2747647, prune so).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from fedras_ray.data.interactions import Dataset
from fedras_ray.evaluation.metrics import Hits
from fedras_ray.kernels import ranking

CLIENTS = 16_384  # whose places are held at once: 6 MB
BLOCK = (256, 512)  # clients and items whose scores are held at once: 512 KB, in the second cache
ROUNDING = 2.0**-24  # of one operation in float32
SMALLEST = 2.0**-126  # below it a library may write zero
LARGEST = 1e38  # below it nothing overflows

Floats = NDArray[np.float32]
Rows = NDArray[np.float32] | NDArray[np.float64]
Users = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """Where the test items of C clients stand so far, see `ranking.places_of`."""

    places: NDArray[np.float64]  # (C, K)
    ranks: NDArray[np.int32]  # (C, K)
    opened: NDArray[np.int32]  # (C,)

    def hits(self) -> Hits:
        """(C, K), once every item was counted."""
        listed = np.arange(self.ranks.shape[1]) < self.opened[:, None]
        client, place = np.nonzero(listed & (self.ranks <= self.ranks.shape[1]))
        hits = np.zeros(self.ranks.shape, dtype=np.bool_)
        hits[client, self.ranks[client, place] - 1] = True
        return hits


def product_hits(queries: Floats, table: Floats, users: Users, dataset: Dataset, depth: int) -> Hits:
    """(C, K) hits when all items but the client's train items are ranked.

    Args:
        queries: (C, D), what each client multiplies a row by.
        table: (I, D).
        users: (C,) whose train and test items they are.
        dataset: of these users.
        depth: K.
    """
    lengths = _lengths(table)  # (I,)
    order = np.argsort(-lengths, kind="stable")
    parts = [np.zeros((0, depth), dtype=np.bool_)]
    for start in range(0, len(users), CLIENTS):
        some = slice(start, start + CLIENTS)
        standings = standings_of(queries[some], table, users[some], dataset, depth)
        with _blas().limit(limits=1, user_api="blas"), np.errstate(over="ignore", invalid="ignore"):
            _count(standings, queries[some], table, order, lengths)
        parts.append(standings.hits())
    return np.concatenate(parts)


def sampled_product_hits(
    queries: Rows, table: Rows, held_out: NDArray[np.int32], negatives: NDArray[np.int32], depth: int
) -> Hits:
    """(C, K) hits when one held-out item (C,) is ranked among candidates (C, N); -1 stands for none."""
    rank = ranking.rank_among(queries, table, held_out, negatives)  # (C,) from 0
    return np.asarray(np.arange(depth) == rank[:, None], dtype=np.bool_)


def standings_of(queries: Rows, table: Rows, users: Users, dataset: Dataset, depth: int) -> Standings:
    """Where test items stand before anything was counted."""
    train, test = dataset.train, dataset.test
    each = train.offsets, train.items, test.offsets, test.items
    return Standings(*ranking.places_of(queries, table, users, *each, depth))


def _count(
    standings: Standings, queries: Floats, table: Floats, order: Users, lengths: NDArray[np.float64]
) -> None:
    """Add the whole catalogue, longest rows first."""
    own = _lengths(queries)  # (C,)
    slack = _slack(own * lengths[order[0]], table.shape[1])
    rough = np.empty(BLOCK, np.float32)
    for start in range(0, len(order), BLOCK[1]):
        left = _left(standings, own * lengths[order[start]], slack)
        if len(left) == 0:
            return
        block = table[order[start : start + BLOCK[1]]]  # (n, D)
        for first in range(0, len(left), BLOCK[0]):
            some = left[first : first + BLOCK[0]]
            scores = rough[: len(some), : len(block)]
            np.matmul(queries[some], block.T, out=scores)
            state = standings.places, standings.ranks, standings.opened
            ranking.add_block(scores, some, queries, block, slack, *state)


@functools.cache
def _blas() -> ThreadpoolController:
    """The library behind products of matrices: pools must not fight over cores."""
    return ThreadpoolController()


def _lengths(rows: Floats) -> NDArray[np.float64]:
    """(n,) of rows (n, D); one with an entry that is no number is as long as can be."""
    lengths = np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1))
    return np.asarray(np.nan_to_num(lengths, nan=np.inf, posinf=np.inf), dtype=np.float64)


def _slack(reach: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """(C,) how far a rough score may be off, where |q||v| is at most `reach` (C,)."""
    slack = (width + 4) * ROUNDING * reach + 2 * width * SMALLEST
    return np.asarray(np.where(reach < LARGEST, slack, np.inf), dtype=np.float64)


def _left(standings: Standings, reach: NDArray[np.float64], slack: NDArray[np.float64]) -> Users:
    """Clients with an open place that an item whose score is at most `reach` (C,) may be at or above."""
    lowest = np.take_along_axis(standings.places, np.maximum(standings.opened - 1, 0)[:, None], axis=1)[:, 0]
    return np.flatnonzero((standings.opened > 0) & ~(reach + slack < lowest))
