"""Pools that share a GPU are one process that has it; and who asks for what is not there is told."""

import pytest
import ray
import torch

from actors.cluster import gpus_per_pool, pool_count
from actors.executor import RayExecutor
from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.errors import ExecutorError
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import simulate
from tests.actors.conftest import freed
from tests.conftest import SCHEDULES, SMALL

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


def told(experiment, dataset, executor):
    return list(simulate(experiment, population_of(dataset), executor))


@needs_gpu
@pytest.mark.parametrize("codec", ["sparse", "actions"])
@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_pools_that_share_a_gpu_are_one_process(cluster, schedule, codec):
    settings = [*SMALL, *SCHEDULES[schedule], f"codec.kind={codec}", "execution.device=cuda"]
    experiment = build({}, settings)
    dataset = load(experiment.data, experiment.seed)
    alone = told(experiment, dataset, SerialExecutor(experiment, dataset))
    executor = RayExecutor(experiment, cluster.put(dataset), pools=2)
    shared = told(experiment, dataset, executor)
    freed(executor)
    assert shared == alone


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one here")
def test_who_needs_a_gpu_where_there_is_none_is_told(cluster):
    experiment = build({}, [*SMALL, "execution.device=cuda"])
    with pytest.raises(ExecutorError, match=r"no node of the cluster has a GPU.*execution\.device=cpu"):
        RayExecutor(experiment, None, pools=2)


def test_who_asks_for_more_memory_than_there_is_is_told_what_is_free(cluster):
    experiment = build({}, [*SMALL, "execution.memory_bytes=1000000000000000", "execution.start_limit_s=1"])
    dataset = load(experiment.data, experiment.seed)
    with pytest.raises(
        ExecutorError, match=r"2 of 2 pools did not start.*cores, .*GiB of memory on 1 nodes are free"
    ):
        RayExecutor(experiment, cluster.put(dataset), pools=2)


@pytest.mark.parametrize(("total", "pools", "share"), [(1, 2, 0.5), (1, 3, 0.33), (4, 2, 2.0), (3, 2, 1.0)])
def test_pools_share_what_gpus_there_are(monkeypatch, total, pools, share):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": float(total)})
    on_gpu = build({}, ["execution.device=cuda"]).execution
    assert gpus_per_pool(on_gpu, pools) == share
    assert gpus_per_pool(build({}).execution, pools) == 0
    assert gpus_per_pool(build({}, ["execution.gpus=0.2"]).execution, pools) == 0.2
    assert pool_count(on_gpu) == total
    assert pool_count(build({}).execution) == 8
