"""Sampling and training of a batch of 32 clients, clustering on the line and off it, ranking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fedras_ray.clients import ClientHost
from fedras_ray.codecs.base import Outgoing
from fedras_ray.codecs.cohort import codebooks, codebooks_each
from fedras_ray.config import Experiment, build
from fedras_ray.data.interactions import Dataset
from fedras_ray.models.build import build_model
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.ragged import Addresses, sample_each, train_each
from fedras_ray.work import Assignment, Assignments

CLIENTS = np.arange(0, 256, 8)
BATCH = Assignments.of(Assignment(client, 0, 0, 0, None) for client in CLIENTS.tolist())


def test_sampling(benchmark: Any, dataset: Dataset) -> None:
    addresses = Addresses(1, CLIENTS, np.zeros(len(CLIENTS), np.int64))
    samples = benchmark(sample_each, dataset.train, addresses, 4)
    assert len(samples.counts) == len(CLIENTS)


def test_training(benchmark: Any, experiment: Experiment, dataset: Dataset) -> None:
    model = build_model(experiment.model)
    samples = sample_each(dataset.train, Addresses(1, CLIENTS, np.zeros(len(CLIENTS), np.int64)), 4)
    table = model.initial_items(dataset.item_count, stream(1, Purpose.ITEM_TABLE))
    private = model.initial_private(len(CLIENTS), stream(1, Purpose.PRIVATE_STATE))
    epochs, of = np.full(len(CLIENTS), 2), np.zeros(len(CLIENTS), np.int64)
    trained = benchmark(train_each, model, samples, [table], of, private, epochs, experiment.training)
    assert np.isfinite(trained.delta).all()


@pytest.mark.parametrize("kind", ["actions", "gain-shape", "sparse", "dense"])
def test_turns(benchmark: Any, experiment: Experiment, dataset: Dataset, kind: str) -> None:
    """Everything of 32 turns, from the assignments to the blobs."""
    chosen = build({**experiment.model_dump(mode="json"), "codec": {"kind": kind}}, [])
    host = ClientHost(chosen, dataset, [0])
    host.publish(
        0, build_model(chosen.model).initial_items(dataset.item_count, stream(1, Purpose.ITEM_TABLE))
    )
    assert len(benchmark(host.train, BATCH).blobs) == len(BATCH)


@pytest.mark.parametrize("k", [16, 64])
def test_clusters_on_the_line(benchmark: Any, outgoing: list[Outgoing], k: int) -> None:
    rows = [one.update.rows for one in outgoing]
    offsets = np.cumsum([0, *map(len, rows)])
    assert (benchmark(codebooks_each, np.concatenate(rows), offsets, k).used > 0).all()


def test_k_means(benchmark: Any, outgoing: list[Outgoing]) -> None:
    """With Lloyd's rounds in D dimensions."""
    rows = [one.update.rows for one in outgoing]
    assert len(benchmark(codebooks, rows, 16, "principal", 5)) == len(rows)
