"""Who is at work by the virtual clock ranks with what it was before, whatever was computed already."""

import numpy as np

from fedras_ray.executor import SerialExecutor
from fedras_ray.work import Assignment, Assignments
from tests.checkpoints.likeness import differences
from tests.simulation.worlds import SCHEDULES, world


def test_a_client_at_work_ranks_with_its_state_from_before_until_it_has_settled():
    experiment, dataset = world(*SCHEDULES["buffered"], "training.private_rate=5.0")
    executor = SerialExecutor(experiment, dataset)
    rng = np.random.default_rng(3)
    table = rng.normal(size=(dataset.item_count, experiment.model.width)).astype(np.float32)
    executor.publish(0, table)
    host, views = executor.site.clients, np.zeros(1, np.int64)
    clients = [
        one
        for one in range(0, dataset.user_count, experiment.execution.shards)
        if dataset.train.counts()[one]
    ]
    before = host.evaluate(0, views, [])
    executor.train({0: Assignments.of([Assignment(one, 0, 0, 0, None) for one in clients])})
    assert differences(host.evaluate(0, views, clients), before) == []
    some = host.evaluate(0, views, clients[:1])
    after = host.evaluate(0, views, [])
    assert differences(after, before) != []
    assert differences(host.evaluate(0, views, clients), after) == [], "they have settled"
    assert differences(some, before) != []
