"""Local training of one matrix-factorisation client on all its samples, without leaving the cache.

n rows of one client, D width. It computes what `FactorizationModel.step` computes for a padded
cohort, step by step; the tests hold the two to each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Floats = NDArray[np.float32]


@compiled
def fit(
    received: Floats,
    private: Floats,
    weight: Floats,
    positive: Floats,
    steps: int,
    item_rate: np.float32,
    private_rate: np.float32,
    weight_decay: np.float32,
) -> tuple[Floats, Floats, float]:
    """Full-batch gradient steps from `received` (n, D) and `private` (D,), neither of which changes.

    `weight` (n,) is the samples on each row, `positive` (n,) the positives among them.

    Returns:
        (n, D) new rows minus received ones, (D,) the new private vector, the summed loss before.
    """
    rows, own = received.copy(), private.copy()
    if not weight.any():
        return rows - received, own, 0.0
    first_loss = 0.0
    for number in range(steps):
        loss = _step(rows, own, weight, positive, item_rate, private_rate, weight_decay)
        if number == 0:
            first_loss = loss
    return rows - received, own, first_loss


@compiled
def _step(
    rows: Floats,
    own: Floats,
    weight: Floats,
    positive: Floats,
    item_rate: np.float32,
    private_rate: np.float32,
    weight_decay: np.float32,
) -> float:
    """One step in place, every gradient at the values before it; all in float32, which vectorises."""
    one = np.float32(1)
    row_keeps, own_keeps = one - item_rate * weight_decay, one - private_rate * weight_decay
    along = np.zeros(len(own), np.float32)
    loss = 0.0
    for place in range(len(rows)):
        row = rows[place]
        logit = np.float32(0)
        for column in range(len(own)):
            logit += row[column] * own[column]
        rest = np.exp(-abs(logit))
        softplus = max(logit, np.float32(0)) + np.log1p(rest)
        loss += weight[place] * softplus - positive[place] * logit
        sigmoid = one / (one + rest) if logit >= 0 else rest / (one + rest)
        error = weight[place] * sigmoid - positive[place]
        pull = item_rate * error
        for column in range(len(own)):
            old = row[column]
            along[column] += error * old
            row[column] = row_keeps * old - pull * own[column]
    for column in range(len(own)):
        own[column] = own_keeps * own[column] - private_rate * along[column]
    return loss
