"""Local training of matrix-factorisation clients in mini-batches, without leaving the cache.

C clients, n rows of one, N of all of them, D width, S samples of an epoch, E epochs. What torch's SGD does
with a batch of `binary_cross_entropy_with_logits`: every gradient is taken at the values before the batch,
and samples of the same row add up. It computes what `FactorizationModel.step` computes for a padded cohort,
batch by batch; the tests hold the two to each other, and both to torch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import logistic, received
from fedras_ray.kernels.compiling import compiled

Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]
Places = NDArray[np.int32]


@compiled
def fit(
    before: Floats,
    private: Floats,
    place: Places,
    label: Floats,
    epoch_samples: int,
    batch_size: int,
    is_mean: bool,
    item_rate: np.float32,
    private_rate: np.float32,
    weight_decay: np.float32,
) -> tuple[Floats, Floats, float]:
    """Gradient steps from `before` (n, D) and `private` (D,), neither of which changes.

    `place` (E·S,) is the row of each sample, `label` (E·S,) whether it is a positive, in the order in
    which they are trained on. An epoch's last batch has what is left. With `is_mean` a batch's loss is the
    mean over its samples, else the sum.

    Returns:
        (n, D) new rows minus received ones, (D,) the new private vector, and the loss: per sample of each
        batch before its step, the mean over the batches of the first epoch.
    """
    rows, own = before.copy(), private.copy()
    loss = _turn(
        rows, own, place, label, epoch_samples, batch_size, is_mean, item_rate, private_rate, weight_decay
    )
    return rows - before, own, loss


@compiled
def fit_each(
    table: Floats,
    members: Numbers,
    item_ids: Places,
    offsets: Numbers,
    place: Places,
    label: Floats,
    starts: Numbers,
    epoch_samples: Numbers,
    batch_size: int,
    is_mean: bool,
    private: Floats,
    item_rate: np.float32,
    private_rate: np.float32,
    weight_decay: np.float32,
    delta: Floats,
    losses: NDArray[np.float64],
) -> None:
    """`fit` for some of C clients, who all received rows of one table, (I, D).

    Client c's rows are `item_ids` from offsets[c] to offsets[c + 1], and so is its `delta` (N, D), which is
    written, as `losses` (C,) is; its `place` and `label` are those from starts[c] to starts[c + 1], and
    `epoch_samples` (C,) of them make an epoch. `private` (C, D) moves in place.
    """
    for client in members:
        its = slice(offsets[client], offsets[client + 1])
        rows, ids = delta[its], item_ids[its]
        received.receive(rows, table, ids)
        losses[client] = _turn(
            rows,
            private[client],
            place[starts[client] : starts[client + 1]],
            label[starts[client] : starts[client + 1]],
            epoch_samples[client],
            batch_size,
            is_mean,
            item_rate,
            private_rate,
            weight_decay,
        )
        received.keep_gains(rows, table, ids)


@compiled
def _turn(
    rows: Floats,
    own: Floats,
    place: Places,
    label: Floats,
    epoch_samples: int,
    batch_size: int,
    is_mean: bool,
    item_rate: np.float32,
    private_rate: np.float32,
    weight_decay: np.float32,
) -> float:
    """`fit` in place; returns its loss."""
    ones = np.ones(min(batch_size, epoch_samples), np.float32)
    errors, along = np.empty_like(ones), np.empty_like(own)
    last_batch = np.full(len(rows), -1, np.int32)  # that touched the row: it decays once in each
    one = np.float32(1)
    item_keeps, private_keeps = one - item_rate * weight_decay, one - private_rate * weight_decay
    loss, batch, batches = 0.0, 0, -(-epoch_samples // batch_size)
    for epoch in range(0, len(place), epoch_samples):
        for start in range(epoch, epoch + epoch_samples, batch_size):
            end = min(start + batch_size, epoch + epoch_samples)
            some, each, error = slice(start, end), ones[: end - start], errors[: end - start]
            batch_loss = _gradients(rows, own, place[some], label[some], each, error, along)
            if batch < batches:
                loss += batch_loss / (end - start) / batches
            if weight_decay > 0:
                _decay(rows, place[some], last_batch, batch, item_keeps)
            scale = one / np.float32(end - start) if is_mean else one
            _descend(rows, own, place[some], error, item_rate * scale)
            for column in range(len(own)):
                own[column] = private_keeps * own[column] - private_rate * scale * along[column]
            batch += 1
    return loss


@compiled
def _gradients(
    rows: Floats, own: Floats, place: Places, label: Floats, each: Floats, error: Floats, along: Floats
) -> float:
    """Of one batch: e = σ(⟨v, u⟩) − label for each sample, Σ e · v over them, and their summed loss."""
    for number in range(len(place)):
        row = rows[place[number]]
        logit = np.float32(0)
        for column in range(len(own)):
            logit += row[column] * own[column]
        error[number] = logit
    loss = logistic.add_loss(0.0, error, each, label)
    logistic.errors(error, each, label)
    along[:] = 0
    for number in range(len(place)):
        row, off = rows[place[number]], error[number]
        for column in range(len(own)):
            along[column] += off * row[column]
    return loss


@compiled
def _descend(rows: Floats, own: Floats, place: Places, error: Floats, rate: np.float32) -> None:
    """Each sample moves its row along −e · u, with u as it was before the batch."""
    for number in range(len(place)):
        row = rows[place[number]]
        pull = rate * error[number]
        for column in range(len(own)):
            row[column] -= pull * own[column]


@compiled
def _decay(rows: Floats, place: Places, last_batch: Places, batch: int, keeps: np.float32) -> None:
    """Shrink each row of a batch once, however many samples it has."""
    for row in place:
        if last_batch[row] != batch:
            last_batch[row] = batch
            for column in range(rows.shape[1]):
                rows[row, column] *= keeps
