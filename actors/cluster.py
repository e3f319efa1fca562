"""What a Ray cluster has, and how many pools there are to be on it."""

from __future__ import annotations

import ray

from fedras_ray.config.experiment import ExecutionConfig
from fedras_ray.errors import ExecutorError

ROUNDING = 0.05  # pools ask for hundredths of a core, rounded down


def pool_count(execution: ExecutionConfig) -> int:
    """How many pools to start: as asked, else one per core, or GPU, of the cluster; at most one per shard."""
    return max(1, min(execution.pools or int(_total(execution)), execution.shards))


def pool_room(execution: ExecutionConfig, pools: int) -> int:
    """How many pools there is room for beside what others hold, where so many are there already."""
    if execution.device == "cpu":
        kind, each = "CPU", cores_per_pool(pools)
    else:
        kind, each = "GPU", gpus_per_pool(execution, pools)
    free = float(ray.available_resources().get(kind, 0))  # type: ignore[no-untyped-call]
    room = min(_total(execution), free + pools * each)
    return max(1, min(int(room + ROUNDING), execution.shards))


def _total(execution: ExecutionConfig) -> float:
    """Of what there is one for each pool: cores of the cluster, or its GPUs."""
    return cores() if execution.device == "cpu" else gpus()


def cores_per_pool(pools: int) -> float:
    """The share of a core each pool asks for, so that all of them can be placed at once."""
    return min(1.0, int(100 * cores() / pools) / 100)


def cores() -> float:
    """The cores of the whole cluster."""
    return float(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]


def gpus_per_pool(execution: ExecutionConfig, pools: int) -> float:
    """The share of a GPU each pool asks for: as configured, else an equal one of all that there are.

    A pool that asks for none sees none.

    Raises:
        ExecutorError: pools need one, and the cluster has none.
    """
    if execution.gpus or execution.device == "cpu":
        return execution.gpus
    if gpus() == 0:
        raise ExecutorError(
            f"execution.device = '{execution.device}', and no node of the cluster has a GPU. Take "
            "execution.device=cpu, or let a node join that has one (where Ray finds none of itself: "
            "'ray start --num-gpus')"
        )
    share = gpus() / pools
    return float(int(share)) if share >= 1 else int(100 * share) / 100


def gpus() -> float:
    """The GPUs of the whole cluster."""
    return float(ray.cluster_resources().get("GPU", 0))  # type: ignore[no-untyped-call]


def free_cores() -> float:
    """The cores that nobody holds at present."""
    return float(ray.available_resources().get("CPU", 0))  # type: ignore[no-untyped-call]


def free_resources() -> str:
    """What nobody holds at present, for a message."""
    free = ray.available_resources()  # type: ignore[no-untyped-call]
    told = [f"{free.get('CPU', 0):g} cores"]
    if "GPU" in ray.cluster_resources():  # type: ignore[no-untyped-call]
        told.append(f"{free.get('GPU', 0):g} GPUs")
    return ", ".join([*told, f"{free.get('memory', 0) / 2**30:.1f} GiB of memory"])
