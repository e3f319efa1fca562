"""Pools that share a GPU are one process that has it; and who asks for what is not there is told."""

import pytest
import ray
import torch

from actors import cluster
from actors.executor import RayExecutor
from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.errors import ExecutorError
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import simulate
from tests.conftest import SCHEDULES, SMALL

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


@pytest.fixture(scope="module")
def two_cores():
    """A cluster of this machine."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


def told(experiment, dataset, executor):
    return list(simulate(experiment, population_of(dataset), executor))


@needs_gpu
@pytest.mark.parametrize("codec", ["sparse", "actions"])
@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_pools_that_share_a_gpu_are_one_process(two_cores, schedule, codec):
    settings = [*SMALL, *SCHEDULES[schedule], f"codec.kind={codec}", "execution.device=cuda"]
    experiment = build({}, settings)
    dataset = load(experiment.data, experiment.seed)
    alone = told(experiment, dataset, SerialExecutor(experiment, dataset))
    shared = told(experiment, dataset, RayExecutor(experiment, two_cores.put(dataset), pools=2))
    assert shared == alone


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one here")
def test_who_needs_a_gpu_where_there_is_none_is_told(two_cores):
    experiment = build({}, [*SMALL, "execution.device=cuda"])
    with pytest.raises(ExecutorError, match=r"no node of the cluster has a GPU.*execution\.device=cpu"):
        RayExecutor(experiment, None, pools=2)


def test_who_asks_for_more_memory_than_there_is_is_told_what_is_free(two_cores):
    experiment = build({}, [*SMALL, "execution.memory_bytes=1000000000000000", "execution.start_limit_s=1"])
    dataset = load(experiment.data, experiment.seed)
    with pytest.raises(ExecutorError, match=r"2 of 2 pools did not start.*cores, .*GiB of memory are free"):
        RayExecutor(experiment, two_cores.put(dataset), pools=2)


@pytest.mark.parametrize(("total", "pools", "share"), [(1, 2, 0.5), (1, 3, 0.33), (4, 2, 2.0), (3, 2, 1.0)])
def test_pools_share_what_gpus_there_are(monkeypatch, total, pools, share):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": float(total)})
    on_gpu = build({}, ["execution.device=cuda"]).execution
    assert cluster.gpus_per_pool(on_gpu, pools) == share
    assert cluster.gpus_per_pool(build({}).execution, pools) == 0
    assert cluster.gpus_per_pool(build({}, ["execution.gpus=0.2"]).execution, pools) == 0.2
    assert cluster.pool_count(on_gpu) == total
    assert cluster.pool_count(build({}).execution) == 8
