"""The one door to data: from what an experiment says to a data set that is split and ready."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fedras_ray.config.data import CatalogData, DataConfig, FileData, LeaveLastOut
from fedras_ray.data import impressions
from fedras_ray.data.catalog import entry
from fedras_ray.data.folders import Presplit
from fedras_ray.data.histories import Histories, histories
from fedras_ray.data.interactions import Dataset
from fedras_ray.data.own_file import read_own_file
from fedras_ray.data.places import Say, obtain, silent
from fedras_ray.data.split import split
from fedras_ray.data.synthetic import generate
from fedras_ray.errors import ConfigError, DataError


def load(config: DataConfig, seed: int, say: Say = silent) -> Dataset:
    """The data set of an experiment, split.

    Args:
        config: catalogue, a file of your own, or synthetic.
        seed: of the run: for synthetic data and for random splits.
        say: told in a line what is fetched, and what failed on the way.

    Raises:
        ConfigError: an unknown name, or a split for a data set that brings its own.
        DataError: files that are missing or broken, or a split that leaves nothing to test.
    """
    if isinstance(config, CatalogData):
        return _load_catalog(config, seed, say)
    if isinstance(config, FileData):
        return _load_file(config, seed)
    name = f"synthetic-{config.users}x{config.items}"
    return _divided(name, generate(config, seed), config, seed, f"generated with seed {seed}")


def _load_catalog(config: CatalogData, seed: int, say: Say) -> Dataset:
    content, source = obtain(entry(config.name), say)
    if not isinstance(content, Presplit):
        return _divided(config.name, histories(content), config, seed, source)
    if not isinstance(config.split, LeaveLastOut):
        problem = f"'{config.split.kind}' cannot be done: {config.name} ({source}) comes already split"
        raise ConfigError("data.split", f"{problem}; leave data.split out")
    return Dataset(config.name, content.train, content.test, source, content.negatives)


def _load_file(config: FileData, seed: int) -> Dataset:
    path, raw = Path(config.path), read_own_file(config)
    if raw.labels is None:
        return _divided(path.stem, histories(raw), config, seed, str(path))
    return _whole(impressions.divided(path.stem, raw, raw.labels, config.split, seed, str(path)), config)


def _divided(name: str, told: Histories, config: DataConfig, seed: int, source: str) -> Dataset:
    return _whole(Dataset(name, *split(told, config.split, seed), source), config)


def _whole(dataset: Dataset, config: DataConfig) -> Dataset:
    for side, interactions in (("train", dataset.train), ("test", dataset.test)):
        if len(interactions) == 0:
            raise DataError(dataset.name, f"the {config.split.kind} split leaves nothing in {side}")
    return dataset


def describe(dataset: Dataset) -> dict[str, Any]:
    """What a person wants to know about a data set, flat and ready for JSON.

    Interactions, quantiles and shares are over train and test together. `popular_share` is the share
    of the interactions that the most popular 1 % of the items (at least one) have.
    """
    counts = dataset.train.counts() + dataset.test.counts()  # (U,)
    popularity = np.sort(dataset.train.popularity() + dataset.test.popularity())[::-1]  # (I,)
    total = int(counts.sum())
    marks = {"least": 0.0, "q10": 0.1, "median": 0.5, "q90": 0.9, "most": 1.0}
    per_user = {
        f"per_user_{name}": int(np.quantile(counts, mark, method="nearest")) for name, mark in marks.items()
    }
    head = max(1, dataset.item_count // 100)
    return {
        "name": dataset.name,
        "source": dataset.source,
        "users": dataset.user_count,
        "items": dataset.item_count,
        "interactions": total,
        "train": len(dataset.train),
        "test": len(dataset.test),
        "users_with_test": int((dataset.test.counts() > 0).sum()),
        "density": total / (dataset.user_count * dataset.item_count),
        "per_user_mean": total / dataset.user_count,
        **per_user,
        "popular_share": float(popularity[:head].sum() / total),
        "negatives": 0 if dataset.negatives is None else int(dataset.negatives.shape[1]),
        "digest": dataset.digest(),
    }
