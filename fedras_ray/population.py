"""What the server side may know of the clients: how many there are, and how much each one trains on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.data.interactions import Dataset


@dataclass(frozen=True, slots=True)
class Population:
    """U clients over a catalogue."""

    positives: NDArray[np.int64]  # (U,) train interactions
    item_count: int

    def samples_per_epoch(self, negatives: int) -> NDArray[np.int64]:
        """(U,) what each client trains on in one epoch, with so many negatives per positive."""
        has_negatives = self.positives < self.item_count
        return self.positives * (1 + negatives * has_negatives)

    def relative_samples(self) -> NDArray[np.float64]:
        """(U,) each client's data over the average client's."""
        relative: NDArray[np.float64] = self.positives / max(1.0, self.positives.mean())
        return relative


def population_of(dataset: Dataset) -> Population:
    """What the server side may know of the clients in a data set."""
    return Population(dataset.train.counts(), dataset.item_count)
