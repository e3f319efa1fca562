"""What is trained in the end is what the last evaluation ranked with, client by client."""

import numpy as np
import pytest

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.evaluation.quality import full_product_quality
from fedras_ray.models.build import build_model
from fedras_ray.records import UserQualityRecord
from fedras_ray.trained import trained
from tests.checkpoints.stopped import begun, told
from tests.conftest import DOWNLINKS, SCHEDULES, SMALL

WAYS = {"dense": [], **DOWNLINKS}


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
@pytest.mark.parametrize("downlink", sorted(WAYS))
def test_the_last_evaluation_can_be_repeated(schedule, downlink):
    experiment = build({}, [*SMALL, *SCHEDULES[schedule], *WAYS[downlink]])
    dataset = load(experiment.data, experiment.seed)
    simulation, executor = begun(experiment, dataset)
    said = told(simulation)
    last = next(record for record in said if isinstance(record, UserQualityRecord))
    found = trained(simulation, executor)
    assert len(found.private) == len(found.table_of) == dataset.user_count
    assert len(found.tables) == {"lanes": 3, "all lanes": 2}.get(downlink, 1)
    queries = build_model(experiment.model).queries(found.private)
    for name, expected in last.quality:
        if name.startswith("sampled"):
            continue
        for place, table in enumerate(found.tables):
            mine = np.flatnonzero(found.table_of[last.users] == place)
            users = last.users[mine].astype(np.int64)
            ranked = full_product_quality(queries[users], table, users, dataset)[name]
            assert np.array_equal(ranked.astype(np.float32), expected[mine])
