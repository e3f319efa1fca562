"""Local training of matrix-factorisation clients on all their samples, without leaving the cache.

C clients, n rows of one, N of all of them, D width. It computes what `FactorizationModel.step` computes for
a padded cohort, step by step; the tests hold the two to each other.

Rows go through a step a block at a time: what a row needs of the exponential function is found for the whole
block at once, so that no call stands between the loops over columns, which run in registers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import logistic, received
from fedras_ray.kernels.compiling import compiled

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

BLOCK = 64  # rows; at D = 32 a quarter of a processor's first cache


@compiled
def fit(
    before: Floats,
    private: Floats,
    weight: Floats,
    positive: Floats,
    steps: int,
    item_rate: np.float32,
    private_rate: np.float32,
    weight_decay: np.float32,
) -> tuple[Floats, Floats, float]:
    """Full-batch gradient steps from `before` (n, D) and `private` (D,), neither of which changes.

    `weight` (n,) is the samples on each row, `positive` (n,) the positives among them.

    Returns:
        (n, D) new rows minus received ones, (D,) the new private vector, the summed loss before.
    """
    rows, own = before.copy(), private.copy()
    loss = _descend(rows, own, weight, positive, steps, item_rate, private_rate, weight_decay)
    return rows - before, own, loss


@compiled
def fit_each(
    table: Floats,
    members: Numbers,
    item_ids: NDArray[np.int32],
    offsets: Numbers,
    weight: Floats,
    positive: Floats,
    private: Floats,
    steps: Numbers,
    item_rate: np.float32,
    private_rate: np.float32,
    weight_decay: np.float32,
    delta: Floats,
    losses: NDArray[np.float64],
) -> None:
    """`fit` for some of C clients, who all received rows of one table, (I, D).

    Client c's rows are `item_ids` from offsets[c] to offsets[c + 1], and so are its `weight`, `positive` and
    `delta` (N, D), which is written, as `losses` (C,) is. `private` (C, D) moves in place.
    """
    for client in members:
        its = slice(offsets[client], offsets[client + 1])
        rows, ids = delta[its], item_ids[its]
        received.receive(rows, table, ids)
        losses[client] = _descend(
            rows,
            private[client],
            weight[its],
            positive[its],
            steps[client],
            item_rate,
            private_rate,
            weight_decay,
        )
        received.keep_gains(rows, table, ids)


@compiled
def _descend(
    rows: Floats,
    own: Floats,
    weight: Floats,
    positive: Floats,
    steps: int,
    item_rate: np.float32,
    private_rate: np.float32,
    weight_decay: np.float32,
) -> float:
    """Steps in place, every gradient at the values before it; all in float32. Returns the loss before."""
    if not weight.any():
        return 0.0
    one = np.float32(1)
    row_keeps, own_keeps = one - item_rate * weight_decay, one - private_rate * weight_decay
    along, error = np.empty(len(own), np.float32), np.empty(BLOCK, np.float32)
    loss = 0.0
    for number in range(steps):
        along[:] = 0
        for first in range(0, len(rows), BLOCK):
            block = slice(first, min(first + BLOCK, len(rows)))
            some = error[: block.stop - block.start]
            _logits(some, rows[block], own)
            if number == 0:
                loss = logistic.add_loss(loss, some, weight[block], positive[block])
            logistic.errors(some, weight[block], positive[block])
            _move(rows[block], along, some, own, item_rate, row_keeps)
        for column in range(len(own)):
            own[column] = own_keeps * own[column] - private_rate * along[column]
    return loss


@compiled
def _logits(found: Floats, rows: Floats, own: Floats) -> None:
    for place in range(len(rows)):
        row = rows[place]
        logit = np.float32(0)
        for column in range(len(own)):
            logit += row[column] * own[column]
        found[place] = logit


@compiled
def _move(
    rows: Floats, along: Floats, error: Floats, own: Floats, item_rate: np.float32, keeps: np.float32
) -> None:
    """Each row against its error along `own`; the sum of errors times rows before, into `along`."""
    for place in range(len(rows)):
        row = rows[place]
        pull = item_rate * error[place]
        for column in range(len(own)):
            old = row[column]
            along[column] += error[place] * old
            row[column] = keeps * old - pull * own[column]
