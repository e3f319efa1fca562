"""What may cross from clients to the server, and when quality sees a private state."""

from typing import get_type_hints

import numpy as np

from fedras_ray.clients import ClientHost
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import UserQualityRecord
from fedras_ray.simulation import simulate
from fedras_ray.work import Assignment, Assignments, Receipt


def test_turns_carry_bytes_and_a_count_of_each_kind_alone(small):
    experiment, dataset = small
    host, uploads = ClientHost(experiment, dataset, [0]), Assignments.of([Assignment(0, 0, 0, 0, None)])
    host.publish(0, np.zeros((dataset.item_count, experiment.model.width), np.float32))
    blobs, *counts = sent = host.train(uploads)
    assert [type(blob) for blob in blobs] == [bytes]
    assert {column.shape for column in counts} == {(1,)}
    assert sent._fields == ("blobs", "rows", "samples", "sparse_bytes", "losses")


def test_a_receipt_carries_numbers_alone():
    assert set(get_type_hints(Receipt).values()) <= {int, float, bool}


def test_of_a_user_nothing_is_told_but_the_number_and_metrics(small):
    experiment, dataset = small
    records = simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
    (each,) = [record for record in records if isinstance(record, UserQualityRecord)]
    assert set(each.__slots__) == {"version", "users", "quality"}
    assert all(values.shape == each.users.shape for _, values in each.quality)
    assert all(((values >= 0) & (values <= 1)).all() for _, values in each.quality)


def test_who_is_still_training_ranks_with_the_state_from_before(small):
    experiment, dataset = small
    host = ClientHost(experiment, dataset, range(experiment.execution.shards))
    table = (
        np.random.default_rng(0).normal(size=(dataset.item_count, experiment.model.width)).astype(np.float32)
    )
    host.publish(0, table)
    views = np.array([0])
    fresh = host.evaluate(0, views, [])
    host.train(Assignments.of([Assignment(0, 0, 0, 0, None), Assignment(5, 0, 0, 0, None)]))
    unsettled = host.evaluate(0, views, [0, 5])
    settled = host.evaluate(0, views, [])
    for name, values in fresh.metrics.items():
        assert np.array_equal(values, unsettled.metrics[name])
    assert any(not np.array_equal(values, settled.metrics[name]) for name, values in fresh.metrics.items())
