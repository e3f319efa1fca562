"""Local training of some clients' turns, in as few calls as their model and samples allow.

C turns, I items, D width, P private width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config import Experiment
from fedras_ray.data.interactions import Dataset
from fedras_ray.kernels.factorizing import MOST_STEPS
from fedras_ray.models.base import Batches, FactoringModel, Model, RaggedBatchModel, RaggedModel
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.accelerated import DeviceTraining
from fedras_ray.training.cohort import ClientWork, train_cohort
from fedras_ray.training.given import given_each, given_samples
from fedras_ray.training.ragged import (
    Addresses,
    RaggedSamples,
    Trained,
    joined,
    sample_each,
    together,
    train_each,
)
from fedras_ray.training.sampling import local_samples
from fedras_ray.training.steps import DENSE_COUNTING, Samples

if TYPE_CHECKING:
    import torch

Table = NDArray[np.float32]
Ids = NDArray[np.int32]
Numbers = NDArray[np.int64]


class Turns(NamedTuple):
    """Whose turns, and on what."""

    clients: Numbers  # (C,)
    turns: Numbers  # (C,) how many each had before
    views: Numbers  # (C,) the state of the item table that each was sent
    epochs: Numbers  # (C,) 0: those of the experiment


class LocalTraining:
    """What one turn of a client is, for all of them: their samples, and the steps on them.

    Args:
        experiment: of them all.
        dataset: of all clients.
        model: what they train.
        device: that does; None: the processor, by machine code where the model has some.
    """

    def __init__(
        self, experiment: Experiment, dataset: Dataset, model: Model, device: torch.device | None = None
    ) -> None:
        self._seed = experiment.seed
        self._config = config = experiment.training
        self._width = experiment.model.width
        self._dataset = dataset
        self._model = model
        self._given = dataset.given if config.samples == "given" else None
        able = RaggedBatchModel if config.batch_size else RaggedModel
        self._ragged = model if isinstance(model, able) else None
        self._in_factors = (  # what changes is left so, and not as rows
            isinstance(model, FactoringModel)
            and not (config.batch_size or config.weight_decay)
            and config.epochs <= MOST_STEPS  # a policy may ask for more: that is slow, and right
        )
        self._elsewhere = None if device is None else DeviceTraining(model, config, device)
        self._draws_together = self._ragged is not None or self._elsewhere is not None

    @property
    def is_alike(self) -> bool:
        """Whether a turn comes to the same bits whatever others are trained with it."""
        return self._ragged is not None and self._elsewhere is None

    def most_floats(self, clients: Numbers) -> int:
        """That changes of turns of all of them will hold: of a row its floats, or a pull for each epoch."""
        each = self._config.epochs if self._in_factors else self._width
        held = self._dataset.train.offsets if self._given is None else self._given.offsets
        drawn = 1 + self._config.negatives if self._given is None else 1
        return int((held[clients + 1] - held[clients]).sum()) * drawn * each

    def rows(self, clients: Numbers, turns: Numbers) -> list[Ids]:
        """The rows (n,) that each client's turn touches."""
        if not len(clients):
            return []
        if not self._draws_together:
            return [
                self._alone(*one, 0).item_ids for one in zip(clients.tolist(), turns.tolist(), strict=True)
            ]
        samples, _ = self._samples(clients, turns, np.ones_like(clients))
        return np.split(samples.item_ids, samples.offsets[1:-1])

    def train(self, of: Turns, views: Mapping[int, Table], private: Table) -> Trained:
        """Every turn's training, in order.

        Args:
            of: the turns.
            views: view -> (I, D).
            private: (C, P), which does not change.
        """
        epochs = np.where(of.epochs, of.epochs, self._config.epochs)
        if self._elsewhere is not None and len(epochs):
            samples, batches = self._samples(of.clients, of.turns, epochs)
            return self._elsewhere.train(samples, views, of.views, private, epochs, batches)
        if self._ragged is None:
            return self._as_cohort(of._replace(epochs=epochs), views, private)
        samples, batches = self._samples(of.clients, of.turns, epochs)
        used, table_of = np.unique(of.views, return_inverse=True)
        tables = [views[view] for view in used.tolist()]
        given = samples, tables, table_of, private, epochs, self._config
        if self._in_factors:
            return train_each(self._ragged, *given, in_factors=True)
        return train_each(self._ragged, *given, batches=batches)

    def _samples(
        self, clients: Numbers, turns: Numbers, epochs: Numbers
    ) -> tuple[RaggedSamples, Batches | None]:
        config, item_count = self._config, self._dataset.item_count
        if self._given is None and config.batch_size == 0:
            addresses = Addresses(self._seed, clients, turns)
            return sample_each(self._dataset.train, addresses, config.negatives), None
        if self._given is not None and (config.order == "given" or config.batch_size == 0):
            held = self._given.offsets[clients + 1] - self._given.offsets[clients]
            if item_count * len(clients) <= DENSE_COUNTING * held.sum():
                return given_each(self._given, item_count, clients, epochs, config)
        each = zip(clients.tolist(), turns.tolist(), epochs.tolist(), strict=True)
        return together([self._alone(*one) for one in each], config.batch_size)

    def _as_cohort(self, of: Turns, views: Mapping[int, Table], private: Table) -> Trained:
        work = []
        each = zip(of.clients.tolist(), of.turns.tolist(), of.views.tolist(), of.epochs.tolist(), strict=True)
        for place, (client, turn, view, epochs) in enumerate(each):
            samples = self._alone(client, turn, epochs)
            work.append(ClientWork(samples, views[view].take(samples.item_ids, axis=0), private[place]))
        return joined(work, train_cohort(self._model, work, self._config))

    def _alone(self, client: int, turn: int, epochs: int) -> Samples:
        config, item_count = self._config, self._dataset.item_count

        def draw() -> Generator:
            return stream(self._seed, Purpose.LOCAL_SAMPLING, client, turn)

        if self._given is not None:
            return given_samples(*self._given.of(client), item_count, config, draw, epochs)
        return local_samples(self._dataset.train.of(client), item_count, config, draw(), epochs)
