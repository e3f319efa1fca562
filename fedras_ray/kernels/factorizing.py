"""Local training of matrix-factorisation clients on all their samples, without leaving the cache.

C clients, n rows of one, N of all of them, D width, S steps. It computes what `FactorizationModel.step`
computes for a padded cohort, but rows do not move: every step adds to a row a multiple of the private vector
before it, so S numbers say what became of a row of D (`descend`). The tests hold the two to each other.

Rows go through a step a block at a time: what a row needs of the exponential function is found for the whole
block at once, so that no call stands between the loops over columns, which run in registers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import factoring, logistic, received
from fedras_ray.kernels.compiling import compiled

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Ids = NDArray[np.int32]

BLOCK = 128  # rows; at D = 32 half of a processor's first cache
MOST_STEPS = 16  # that rows do not move; a step costs a number more of each row with every step before it


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
    ids, own, delta = np.arange(len(before)).astype(np.int32), private.copy(), np.empty_like(before)
    rates = item_rate, private_rate, weight_decay
    return delta, own, _gain(delta, before, ids, own, weight, positive, steps, rates)


@compiled
def fit_each(
    table: Floats,
    members: Numbers,
    item_ids: Ids,
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
    rates = item_rate, private_rate, weight_decay
    for client in members:
        its = slice(offsets[client], offsets[client + 1])
        given = item_ids[its], private[client], weight[its], positive[its]
        losses[client] = _gain(delta[its], table, *given, steps[client], rates)


@compiled
def fit_factors_each(
    table: Floats,
    members: Numbers,
    item_ids: Ids,
    offsets: Numbers,
    weight: Floats,
    positive: Floats,
    private: Floats,
    steps: Numbers,
    item_rate: np.float32,
    private_rate: np.float32,
    pulls: Floats,
    vectors: Floats,
    counts: Numbers,
    losses: NDArray[np.float64],
) -> None:
    """`fit_each` without decay, whose `delta` is left as factors, see `fedras_ray.factors`.

    Written are `pulls` (S, N), `vectors` (C, S, D) and `counts` (C,), how many of them there are.
    """
    rates = item_rate, private_rate, np.float32(0)
    for client in members:
        its, count = slice(offsets[client], offsets[client + 1]), steps[client]
        given = item_ids[its], private[client], weight[its], positive[its]
        mine = np.empty((count, its.stop - its.start), np.float32)  # in a row, as `pulls` are not
        losses[client], counts[client], _ = descend(table, *given, count, rates, mine, vectors[client])
        pulls[: counts[client], its] = mine[: counts[client]]


@compiled
def _gain(
    delta: Floats,
    base: Floats,
    ids: Ids,
    own: Floats,
    weight: Floats,
    positive: Floats,
    steps: int,
    rates: tuple[np.float32, np.float32, np.float32],
) -> float:
    """What the rows `ids` (n,) of `base` gain, to `delta` (n, D); `own` moves in place. Returns the loss."""
    some = min(steps, MOST_STEPS)
    pulls, vectors = np.empty((some, len(ids)), np.float32), np.empty((some, len(own)), np.float32)
    loss, count, kept = descend(base, ids, own, weight, positive, some, rates, pulls, vectors)
    if some == steps:
        factoring.write(delta, base, ids, kept - np.float32(1), pulls, vectors, count)
        return loss
    factoring.write(delta, base, ids, kept, pulls, vectors, count)
    places = np.arange(len(ids)).astype(np.int32)
    for done in range(MOST_STEPS, steps, MOST_STEPS):
        some = min(steps - done, MOST_STEPS)
        _, count, kept = descend(delta, places, own, weight, positive, some, rates, pulls, vectors)
        factoring.write(delta, delta, places, kept, pulls, vectors, count)
    received.keep_gains(delta, base, ids)
    return loss


@compiled
def descend(
    base: Floats,
    ids: Ids,
    own: Floats,
    weight: Floats,
    positive: Floats,
    steps: int,
    rates: tuple[np.float32, np.float32, np.float32],
    pulls: Floats,
    vectors: Floats,
) -> tuple[float, int, np.float32]:
    """Steps of the rows `ids` (n,) of `base`, every gradient at the values before it; all in float32.

    A row v is kept · v + Σ pulls[s] · vectors[s] afterwards, with the private vector before step s as
    vectors[s]; so its product with the private vector takes one of v, and a number for each step before.
    Both are written, (S, n) and (S, D); `own` moves in place.

    Returns:
        The summed loss before, how many steps count (none without samples), and what is kept of rows.
    """
    item_rate, private_rate, weight_decay = rates
    kept = one = np.float32(1)
    if not weight.any():
        return 0.0, 0, kept
    row_keeps, own_keeps = one - item_rate * weight_decay, one - private_rate * weight_decay
    along, shares = np.empty(len(own), np.float32), np.empty(steps, np.float32)
    loss = 0.0
    for number in range(steps):
        vectors[number] = own
        loss += _gradients(base, ids, weight, positive, kept, pulls, vectors, number, along, shares)
        for column in range(len(own)):
            total = kept * along[column]
            for before in range(number):
                total += shares[before] * vectors[before, column]
            own[column] = own_keeps * own[column] - private_rate * total
        _scale(pulls[number], pulls[number], -item_rate)
        if weight_decay > 0:
            kept *= row_keeps
            for before in range(number):
                _scale(pulls[before], pulls[before], row_keeps)
    return loss, steps, kept


@compiled
def _gradients(
    base: Floats,
    ids: Ids,
    weight: Floats,
    positive: Floats,
    kept: np.float32,
    pulls: Floats,
    vectors: Floats,
    number: int,
    along: Floats,
    shares: Floats,
) -> float:
    """Of one step: e = weight · σ(⟨v, u⟩) − positive for each row, into pulls[number].

    Σ e · v over the rows as they were received goes into `along` (D,), Σ e · pulls[s] into `shares` (S,) for
    each step before. Returns the loss if this is the first one.
    """
    loss, own, gram = 0.0, vectors[number], np.empty(number, np.float32)
    along[:], shares[:] = 0, 0
    for before in range(number):
        gram[before] = _product(vectors[before], own)
    for first in range(0, len(ids), BLOCK):
        block = slice(first, min(first + BLOCK, len(ids)))
        error, mine = pulls[number][block], ids[block]
        _logits(error, base, mine, own)
        if number > 0:
            _add_steps(error, kept, gram, pulls[:, block], number)
        else:
            loss = logistic.add_loss(loss, error, weight[block], positive[block])
        logistic.errors(error, weight[block], positive[block])
        _add_rows(along, base, mine, error)
        for before in range(number):
            shares[before] += _product(pulls[before][block], error)
    return loss


@compiled
def _logits(found: Floats, base: Floats, ids: Ids, own: Floats) -> None:
    for place in range(len(ids)):
        row = base[ids[place]]
        logit = np.float32(0)
        for column in range(len(own)):
            logit += row[column] * own[column]
        found[place] = logit


@compiled
def _add_steps(logits: Floats, kept: np.float32, gram: Floats, pulls: Floats, count: int) -> None:
    """What rows became in the first steps, in their logits (m,); `pulls` (S, m)."""
    for place in range(len(logits)):
        logits[place] *= kept
    for step in range(count):
        mine, product = pulls[step], gram[step]
        for place in range(len(logits)):
            logits[place] += product * mine[place]


@compiled
def _add_rows(along: Floats, base: Floats, ids: Ids, error: Floats) -> None:
    """The sum of errors times rows, into `along`."""
    for place in range(len(ids)):
        row, off = base[ids[place]], error[place]
        for column in range(len(along)):
            along[column] += off * row[column]


@compiled
def _product(one: Floats, other: Floats) -> np.float32:
    total = np.float32(0)
    for place in range(len(one)):
        total += one[place] * other[place]
    return total


@compiled
def _scale(found: Floats, given: Floats, factor: np.float32) -> None:
    for place in range(len(found)):
        found[place] = factor * given[place]
