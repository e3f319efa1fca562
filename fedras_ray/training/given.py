"""A turn over the samples that the data bring along; nothing is drawn but their order, where one is wanted.

S samples of a client, n distinct items among them, I items; C clients.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.client import TrainingConfig
from fedras_ray.data.samples import LabelledSamples
from fedras_ray.kernels import placing
from fedras_ray.models.base import Batches
from fedras_ray.training.ragged import RaggedSamples
from fedras_ray.training.steps import BatchedSamples, Ids, LocalSamples, Samples, StepSamples, placed


def given_samples(
    items: Ids,
    labels: NDArray[np.bool_],
    item_count: int,
    config: TrainingConfig,
    draw: Callable[[], Generator],
    epochs: int = 0,
) -> Samples:
    """One turn of a client on its own samples.

    Args:
        items: (S,) in the order in which they were given.
        labels: (S,) whether it was taken.
        item_count: I.
        config: with the batch size, and whether the order is kept.
        draw: makes the stream that mini-batches are shuffled with, in every epoch anew; without mini-batches,
            and where the order is kept, it is not called.
        epochs: 0: those of `config`.
    """
    epochs, samples = epochs or config.epochs, len(items)
    item_ids, place = placed(items, item_count)
    if config.batch_size == 0 or config.batch_size >= samples:
        weight = np.bincount(place, minlength=len(item_ids)).astype(np.float32)
        positive = np.bincount(place, labels, minlength=len(item_ids)).astype(np.float32)
        return LocalSamples(item_ids, (StepSamples(None, weight, positive),) * epochs, epochs * samples)
    if config.order == "given":
        if epochs > 1:
            place, labels = np.tile(place, epochs), np.tile(labels, epochs)
    else:
        rng = draw()
        order = np.concatenate([rng.permutation(samples) for _ in range(epochs)])
        place, labels = place[order], labels[order]
    return BatchedSamples(item_ids, place, labels.astype(np.float32), samples, config.batch_size)


def given_each(
    given: LabelledSamples,
    item_count: int,
    clients: NDArray[np.int64],
    epochs: NDArray[np.int64],
    config: TrainingConfig,
) -> tuple[RaggedSamples, Batches]:
    """`given_samples` of some clients (C,), who train for `epochs` (C,), where nothing is drawn."""
    starts, ends = given.offsets[clients], given.offsets[clients + 1]
    counts = ends - starts  # (C,)
    has_batches = (counts > config.batch_size) & (config.batch_size > 0)  # (C,)
    rows, ids, place, label, weight, positive = placing.places_each(
        given.items, given.labels, starts, ends, item_count, has_batches
    )
    repeats = np.where(has_batches, epochs, 0)
    if (repeats != 1).any():
        order = placing.repeated_each(counts, repeats)
        place, label = place[order], label[order]
    batches = Batches(
        np.concatenate([[0], np.cumsum(counts * repeats)]), place, label, counts, config.batch_size
    )
    return RaggedSamples(rows, ids, weight, positive, counts), batches
