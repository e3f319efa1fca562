"""Turns of many clients at once: ragged arrays from end to end.

C clients, N rows of all of them together, D table width, P private width. Clients lie one after the other;
the rows of client c are those from offsets[c] to offsets[c + 1]. What comes out is, bit for bit, what
`local_samples`, `given_samples` and `train_cohort` give each client by itself; the tests hold them to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.client import TrainingConfig
from fedras_ray.data.interactions import Interactions
from fedras_ray.factors import Factors, written_out
from fedras_ray.kernels import drawing, tallying
from fedras_ray.models.base import Batches, FactoringModel, RaggedBatchModel, RaggedModel, Rates
from fedras_ray.streams import Purpose
from fedras_ray.training.cohort import ClientResult, ClientWork
from fedras_ray.training.steps import BatchedSamples, LocalSamples, Samples

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


class Addresses(NamedTuple):
    """Whose turns: what the randomness of each hangs on."""

    seed: int
    clients: Numbers  # (C,)
    turns: Numbers  # (C,)


class RaggedSamples(NamedTuple):
    """Which rows each client touches, and its samples of one epoch, counted per row."""

    offsets: Numbers  # (C + 1,)
    item_ids: NDArray[np.int32]  # (N,) increasing within a client
    weight: Floats  # (N,) samples on the row; not looked at where a client has mini-batches
    positive: Floats  # (N,) positives among them
    counts: Numbers  # (C,) samples


class Trained(NamedTuple):
    """What local training changed."""

    offsets: Numbers  # (C + 1,)
    item_ids: NDArray[np.int32]  # (N,)
    delta: Floats | Factors  # (N, D) new rows minus received rows
    private: Floats  # (C, P) the new private states
    losses: NDArray[np.float64]  # (C,) see `ClientResult`
    samples: Numbers  # (C,) over all epochs

    @property
    def rows(self) -> Floats:
        """(N, D) what `delta` comes to."""
        return written_out(self.delta)


def sample_each(positives: Interactions, of: Addresses, negatives: int) -> RaggedSamples:
    """The samples of each client's turn, with so many negatives for every positive."""
    starts, ends = positives.offsets[of.clients], positives.offsets[of.clients + 1]
    held = ends - starts  # (C,)
    free = positives.item_count - held
    draws = np.where(free > 0, negatives * held, 0)
    places = np.concatenate([[0], np.cumsum(draws)])
    keys = spawn_keys(Purpose.LOCAL_SAMPLING, of.clients, of.turns)
    ranks = drawing.below(drawing.entropy(of.seed), keys, np.maximum(free, 1), places)
    counted = tallying.tallied(positives.items, starts, ends, ranks, places, positives.item_count)
    return RaggedSamples(*counted, counts=held + draws)


def together(turns: Sequence[Samples], batch_size: int) -> tuple[RaggedSamples, Batches]:
    """Turns that were drawn one by one."""
    nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
    inner = [(one.place, one.label) if isinstance(one, BatchedSamples) else nothing for one in turns]
    whole = [
        (one.steps[0].weight, one.steps[0].positive)
        if isinstance(one, LocalSamples)
        else (np.zeros(len(one.item_ids), np.float32),) * 2
        for one in turns
    ]
    counts = [
        one.epoch_samples if isinstance(one, BatchedSamples) else one.sample_count // len(one.steps)
        for one in turns
    ]
    samples = RaggedSamples(
        np.cumsum([0, *(len(one.item_ids) for one in turns)]),
        np.concatenate([one.item_ids for one in turns]),
        np.concatenate([weight for weight, _ in whole]),
        np.concatenate([positive for _, positive in whole]),
        np.array(counts, np.int64),
    )
    batches = Batches(
        np.cumsum([0, *(len(place) for place, _ in inner)]),
        np.concatenate([place for place, _ in inner]),
        np.concatenate([label for _, label in inner]),
        samples.counts,
        batch_size,
    )
    return samples, batches


def train_each(
    model: RaggedModel,
    samples: RaggedSamples,
    tables: list[Floats],
    table_of: Numbers,
    private: Floats,
    epochs: Numbers,
    config: TrainingConfig,
    batches: Batches | None = None,
    in_factors: bool = False,
) -> Trained:
    """Train each client.

    Args:
        model: what is trained.
        samples: of each client.
        tables: the states of the item table, (I, D) each, that clients received.
        table_of: (C,) which of them.
        private: (C, P), which does not change.
        epochs: (C,)
        config: rates and loss; its epochs are not looked at.
        batches: of those who train in mini-batches, with a model that can; None: nobody does.
        in_factors: leave what rows gained as a model that can factors it; nobody has batches, nothing decays.
    """
    rates = Rates(config.item_rate, config.private_rate, config.weight_decay)
    own, losses = private.copy(), np.zeros(len(epochs))
    delta = _room(samples.offsets, epochs, tables[0].shape[1], in_factors)
    total = np.maximum(samples.counts, 1).astype(np.float32)  # (C,)
    weight, positive = samples.weight, samples.positive
    if config.loss == "mean":
        each = np.repeat(total, np.diff(samples.offsets))  # (N,)
        weight, positive = weight / each, positive / each
    in_batches = np.zeros(len(epochs), bool) if batches is None else np.diff(batches.starts) > 0  # (C,)
    for number, table in enumerate(tables):
        mine = table_of == number
        rows = samples.item_ids, samples.offsets
        whole, some = np.flatnonzero(mine & ~in_batches), np.flatnonzero(mine & in_batches)
        given = table, whole, *rows, weight, positive, own, epochs, rates
        if isinstance(delta, Factors):
            cast(FactoringModel, model).fit_factors_each(*given, delta, losses)
            continue
        model.fit_each(*given, delta, losses)
        if batches is not None and len(some):
            able = cast(RaggedBatchModel, model)
            is_mean = config.loss == "mean"
            able.fit_batches_each(table, some, *rows, batches, is_mean, own, rates, delta, losses)
    if config.loss == "sum":
        losses[~in_batches] /= total[~in_batches]
    return Trained(samples.offsets, samples.item_ids, delta, own, losses, epochs * samples.counts)


def _room(offsets: Numbers, epochs: Numbers, width: int, in_factors: bool) -> Floats | Factors:
    """For what rows gain: (N, D)."""
    size, clients = int(offsets[-1]), len(epochs)
    if not in_factors:
        return np.empty((size, width), np.float32)
    most = int(epochs.max(initial=0))
    pulls, vectors = np.empty((most, size), np.float32), np.empty((clients, most, width), np.float32)
    return Factors(offsets, pulls, vectors, np.zeros(clients, np.int64))


def joined(work: Sequence[ClientWork], results: Sequence[ClientResult]) -> Trained:
    """What came of a cohort that was not trained as ragged arrays."""
    offsets = np.cumsum([0, *(len(one.samples.item_ids) for one in work)])
    return Trained(
        offsets,
        np.concatenate([one.samples.item_ids for one in work]),
        np.concatenate([one.delta for one in results]),
        np.stack([one.private for one in results]),
        np.array([one.loss for one in results], np.float64),
        np.array([one.samples.sample_count for one in work], np.int64),
    )


def spawn_keys(purpose: Purpose, clients: Numbers, turns: Numbers) -> NDArray[np.uint32]:
    """(C, 3) the addresses of `streams.stream`."""
    keys = np.empty((len(clients), 3), np.uint32)
    keys[:, 0], keys[:, 1], keys[:, 2] = purpose, clients, turns
    return keys
