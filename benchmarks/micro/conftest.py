"""Clients as large as MovieLens-1M's, on one thread."""

from __future__ import annotations

import pytest
import torch

from benchmarks.encode import outgoing_like
from fedras_ray.codecs.base import Outgoing
from fedras_ray.config import Experiment, build
from fedras_ray.data import load
from fedras_ray.data.interactions import Dataset

ML_1M = [
    "data.kind=synthetic",
    "data.users=2048",
    "data.items=3706",
    "data.mean_interactions=165",
    "model.item_std=0.03",
    "training.item_rate=0.04",
    "training.private_rate=0.005",
    "execution.shards=8",
    "evaluation.every=1000",
]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def experiment() -> Experiment:
    return build({}, ML_1M)


@pytest.fixture(scope="session")
def dataset(experiment: Experiment) -> Dataset:
    return load(experiment.data, experiment.seed)


@pytest.fixture(scope="session")
def outgoing() -> list[Outgoing]:
    """64 updates, nearly of rank one."""
    return outgoing_like("ML-1M", 64)
