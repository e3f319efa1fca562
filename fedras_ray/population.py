"""What the server side may know of the clients: how many there are, and how much each one trains on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config.client import TrainingConfig
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Population:
    """U clients over a catalogue."""

    positives: NDArray[np.int64]  # (U,) train interactions
    item_count: int
    given: NDArray[np.int64] | None = None  # (U,) samples that the data bring along

    def samples_per_epoch(self, training: TrainingConfig) -> NDArray[np.int64]:
        """(U,) what each client trains on in one epoch.

        Raises:
            ConfigError: the samples that are to be given are not there.
        """
        if training.samples == "given":
            if self.given is None:
                raise ConfigError("training.samples", "is 'given', but the data bring no samples along")
            return self.given
        has_negatives = self.positives < self.item_count
        return self.positives * (1 + training.negatives * has_negatives)

    def relative_samples(self, training: TrainingConfig) -> NDArray[np.float64]:
        """(U,) each client's data over the average client's: its positives, or the samples it was given."""
        data = self.positives if training.samples == "drawn" else self.samples_per_epoch(training)
        relative: NDArray[np.float64] = data / max(1.0, data.mean())
        return relative


def population_of(dataset: Dataset) -> Population:
    """What the server side may know of the clients in a data set."""
    given = None if dataset.given is None else dataset.given.counts()
    return Population(dataset.train.counts(), dataset.item_count, given)
