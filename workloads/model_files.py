"""What a run trained, as files: ``model.npz`` and, beside it, what each client has seen already.

Where all clients hold the same table, ``model.npz`` is what `model.start` takes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fedras_ray.data.interactions import Dataset
from fedras_ray.trained import Trained
from workloads.run_directory import writing

MODEL, SEEN = "model.npz", "seen.npz"


def write_model(directory: Path, trained: Trained, dataset: Dataset) -> None:
    """Write both.

    Raises:
        RunError: they cannot be written.
    """
    if len(trained.tables) == 1:
        arrays = {"items": trained.tables[0], "private": trained.private}
    else:
        arrays = {"items": trained.tables, "table_of": trained.table_of, "private": trained.private}
    seen = {"offsets": dataset.train.offsets, "items": dataset.train.items}
    for name, found in ((MODEL, arrays), (SEEN, seen)):
        path, partial = directory / name, directory / f"{name}.partial"
        with writing(path):
            with partial.open("wb") as file:
                np.savez(file, allow_pickle=False, **found)
            partial.replace(path)
