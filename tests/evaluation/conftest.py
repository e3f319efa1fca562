"""Small data sets with tests of every size."""

from collections.abc import Callable

import numpy as np
import pytest

from fedras_ray.data.interactions import Dataset, Interactions

Lists = list[list[int]]


def interactions(lists: Lists, item_count: int) -> Interactions:
    offsets = np.cumsum([0, *(len(items) for items in lists)])
    flat = [item for items in lists for item in sorted(items)]
    return Interactions(offsets.astype(np.int64), np.array(flat, dtype=np.int32), item_count)


@pytest.fixture(scope="session")
def dataset_of() -> Callable[..., Dataset]:
    """A data set from lists of train and test items per user."""

    def make(train: Lists, test: Lists, item_count: int, negatives: Lists | None = None) -> Dataset:
        given = None if negatives is None else np.array(negatives, dtype=np.int32)
        return Dataset("toy", interactions(train, item_count), interactions(test, item_count), "here", given)

    return make
