"""Clients of very different sizes, ready to train."""

from collections.abc import Callable

import numpy as np
import pytest

from fedras_ray.config.client import TrainingConfig
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.cohort import ClientWork
from fedras_ray.training.sampling import local_samples

ITEMS, WIDTH = 80, 5


@pytest.fixture(scope="session")
def table() -> np.ndarray:
    """(I, D)"""
    return (0.5 * stream(1, Purpose.ITEM_TABLE).standard_normal((ITEMS, WIDTH))).astype(np.float32)


@pytest.fixture(scope="session")
def work_of(table: np.ndarray) -> Callable[[TrainingConfig, list[int]], list[ClientWork]]:
    """One client for each number of positives."""

    def make(config: TrainingConfig, sizes: list[int]) -> list[ClientWork]:
        work = []
        for client, size in enumerate(sizes):
            rng = stream(2, Purpose.LOCAL_SAMPLING, client)
            positives = np.sort(rng.permutation(ITEMS)[:size]).astype(np.int32)
            samples = local_samples(positives, ITEMS, config, rng)
            private = (0.5 * rng.standard_normal(WIDTH)).astype(np.float32)
            work.append(ClientWork(samples, table[samples.item_ids], private))
        return work

    return make
