"""Ranks by counting, where a score is the dot product of a client's query and an item's row.

C clients, I items, n of them in a block, D width, K ranks looked at, N candidates. A client's *places* are
its test items by falling score, at most K: the rank of one is its place among them plus the number of
other items that score at least as high, so an item of the test set loses every tie.

A score is the sum of its products in float64, from the first column to the last (a product of two
float32 is exact there). The same pair of rows has the same score wherever it stands, so ranks do not
depend on how items and clients are cut into blocks, on their order, or on a library's sums.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact

STRIDE = 64  # scores that are looked at together

Rows = NDArray[np.float32] | NDArray[np.float64]
Ids = NDArray[np.int32]
Offsets = NDArray[np.int64]
Scores = NDArray[np.float64]


@exact
def score(query: Rows, row: Rows) -> float:
    """The dot product, see the module."""
    total = 0.0
    for column in range(len(query)):
        total += np.float64(query[column]) * np.float64(row[column])
    return total


@exact
def counted(found: float, places: Scores, ranks: Ids, open_: int, by: int) -> None:
    """Move the open places that an item with this score is not below; what is no number is above all."""
    for place in range(open_ - 1, -1, -1):
        if found < places[place]:
            break
        ranks[place] += by


@exact
def places_of(
    queries: Rows,
    table: Rows,
    users: Offsets,
    train_offsets: Offsets,
    train_items: Ids,
    test_offsets: Offsets,
    test_items: Ids,
    depth: int,
) -> tuple[Scores, Ids, Ids]:
    """The places of each client, and ranks to which every item of the catalogue is still to be added.

    A client's own items, train and test, are taken away beforehand. A test item that is a train item
    too, or whose score is not finite, has no place.

    Args:
        queries: (C, D).
        table: (I, D).
        users: (C,) whose items they are.
        train_offsets: (U + 1,) with `train_items` the items that are not ranked, increasing for each user.
        train_items: see there.
        test_offsets: (U + 1,) with `test_items` the items that are looked for.
        test_items: see there.
        depth: K.

    Returns:
        (C, K) scores by place, (C, K) ranks from 1, less what is to come, (C,) how many places there are.
    """
    places = np.full((len(users), depth), -np.inf)
    ranks = np.zeros((len(users), depth), np.int32)
    opened = np.zeros(len(users), np.int32)
    for client in range(len(users)):
        user, query = users[client], queries[client]
        train = train_items[train_offsets[user] : train_offsets[user + 1]]
        test = test_items[test_offsets[user] : test_offsets[user + 1]]
        scores = np.empty(len(test))
        count = 0
        for item in test:
            place = np.searchsorted(train, item)
            known = place < len(train) and train[place] == item
            found = score(query, table[item])
            if np.isfinite(found) and not known:
                scores[count] = found
                count += 1
        scores = np.sort(scores[:count])[::-1]
        first = min(count, depth)
        opened[client] = first
        for place in range(first):
            places[client, place] = scores[place]
            ranks[client, place] = place + 1
        for found in scores:
            counted(found, places[client], ranks[client], first, -1)
        for item in train:
            counted(score(query, table[item]), places[client], ranks[client], first, -1)
    return places, ranks, opened


@exact
def _any_above(rough: NDArray[np.float32], start: int, end: int, floor: np.float32) -> bool:
    """Whether an item from `start` to `end` may count; without a way out, so that it is vectorised."""
    found = 0
    for item in range(start, end):
        found += not (rough[item] < floor)
    return found > 0


@exact
def _add_items(
    rough: NDArray[np.float32],
    block: Rows,
    query: Rows,
    slack: float,
    places: Scores,
    ranks: Ids,
    open_: int,
) -> int:
    """One client's part of `add_block`; returns how many places stay open."""
    floor = np.float32(places[open_ - 1] - slack)
    for start in range(0, len(rough), STRIDE):
        end = min(start + STRIDE, len(rough))
        if not _any_above(rough, start, end, floor):
            continue
        for item in range(start, end):
            if open_ > 0 and not (rough[item] < floor):
                counted(score(query, block[item]), places, ranks, open_, 1)
                while open_ > 0 and ranks[open_ - 1] > len(ranks):
                    open_ -= 1
                floor = np.float32(places[max(open_ - 1, 0)] - slack)
        if open_ == 0:
            return 0
    return open_


@exact
def add_block(
    rough: NDArray[np.float32],
    clients: Offsets,
    queries: Rows,
    block: Rows,
    slack: Scores,
    places: Scores,
    ranks: Ids,
    opened: Ids,
) -> None:
    """Add a block of items to the ranks of some clients, in place; places beyond the last rank close.

    Args:
        rough: (c, n) scores that are off by less than the client's slack; they say which items to score.
        clients: (c,) which of the C they are.
        queries: (C, D).
        block: (n, D) rows of the items.
        slack: (C,).
        places: (C, K) as `places_of` gives them, as are `ranks` and `opened`.
        ranks: (C, K).
        opened: (C,).
    """
    for row in range(len(clients)):
        client = clients[row]
        own = queries[client], slack[client], places[client], ranks[client], opened[client]
        opened[client] = _add_items(rough[row], block, *own)


@exact
def rank_among(queries: Rows, table: Rows, held_out: Ids, candidates: Ids) -> Offsets:
    """(C,) ranks from 0 of the held-out items (C,) among their candidates (C, N); -1 stands for none."""
    ranks = np.zeros(len(held_out), np.int64)
    for client in range(len(held_out)):
        own = score(queries[client], table[held_out[client]])
        for item in candidates[client]:
            if item >= 0:
                ranks[client] += not (score(queries[client], table[item]) < own)
    return ranks
