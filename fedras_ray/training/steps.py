"""The samples of a turn: counted per row where a step takes all, one after another in mini-batches.

I items, n local rows, S samples of an epoch, E epochs, m rows of one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import placing

Ids = NDArray[np.int32]
Index = NDArray[np.int64]

DENSE_COUNTING = 64  # catalogues up to this multiple of the samples are counted in an array of their size


@dataclass(frozen=True, slots=True, eq=False)
class StepSamples:
    """The samples of one gradient step, counted per distinct row."""

    rows: Index | None  # (m,) distinct local rows; None: all of them, in order
    weight: NDArray[np.float32]  # (m,) samples on this row
    positive: NDArray[np.float32]  # (m,) positives among them


@dataclass(frozen=True, slots=True, eq=False)
class LocalSamples:
    """One client's turn in which every step takes all samples."""

    item_ids: Ids  # (n,) increasing
    steps: tuple[StepSamples, ...]  # one per epoch
    sample_count: int  # trained on, over all epochs

    @property
    def epoch_steps(self) -> int:
        """Gradient steps of one epoch."""
        return 1


@dataclass(frozen=True, slots=True, eq=False)
class BatchedSamples:
    """One client's turn in mini-batches: every sample, in the order in which it is trained on."""

    item_ids: Ids  # (n,) increasing
    place: Ids  # (E·S,) the sample's local row
    label: NDArray[np.float32]  # (E·S,) 1: a positive, 0: none
    epoch_samples: int  # S, at least 1
    batch_size: int  # an epoch's last batch has what is left

    @property
    def sample_count(self) -> int:
        """Trained on, over all epochs."""
        return len(self.place)

    @property
    def epoch_steps(self) -> int:
        """Gradient steps of one epoch."""
        return -(-self.epoch_samples // self.batch_size)

    @property
    def steps(self) -> tuple[StepSamples, ...]:
        """Every batch counted per distinct row, over all epochs, in order."""
        return tuple(self._counted())

    def _counted(self) -> Iterator[StepSamples]:
        for epoch in range(0, len(self.place), self.epoch_samples):
            for start in range(epoch, epoch + self.epoch_samples, self.batch_size):
                end = min(start + self.batch_size, epoch + self.epoch_samples)
                rows, place = np.unique(self.place[start:end], return_inverse=True)
                weight = np.bincount(place, minlength=len(rows)).astype(np.float32)
                positive = np.bincount(place, weights=self.label[start:end], minlength=len(rows))
                yield StepSamples(rows.astype(np.int64), weight, positive.astype(np.float32))


Samples = LocalSamples | BatchedSamples


def placed(items: Ids, item_count: int) -> tuple[Ids, Ids]:
    """The distinct items (n,), increasing, and each item's place among them (S,); the quicker way."""
    if item_count <= DENSE_COUNTING * len(items):
        return placing.places(items, item_count)
    distinct, place = np.unique(items, return_inverse=True)
    return distinct, place.astype(np.int32)
