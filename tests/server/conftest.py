"""Updates as they arrive from a decoder."""

from collections.abc import Callable

import numpy as np
import pytest

from fedras_ray.codecs.base import ItemUpdate


@pytest.fixture(scope="session")
def update_of() -> Callable[..., ItemUpdate]:
    """An update from ``{item: row}``."""

    def make(rows: dict[int, list[float]], item_count: int, width: int = 2) -> ItemUpdate:
        ids = np.array(sorted(rows), dtype=np.int32)
        values = np.array([rows[item] for item in sorted(rows)], dtype=np.float32)
        return ItemUpdate(ids, values.reshape(-1, width), item_count)

    return make
