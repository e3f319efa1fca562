"""What a Ray cluster has, and how many pools there are to be on it."""

from __future__ import annotations

from collections.abc import Mapping

import ray

from fedras_ray.config.experiment import ExecutionConfig
from fedras_ray.errors import ExecutorError

ROUNDING = 0.05  # pools ask for hundredths of a core, rounded down


def pool_count(execution: ExecutionConfig) -> int:
    """How many pools to start: as asked, else one per GPU, or per core a thread; at most one per shard.

    Where no two may share a node and nobody asked for a number, at most one per node.
    """
    wanted = execution.pools or min(int(_total(execution) / _each(execution)), _most(execution))
    return max(1, min(wanted, execution.shards))


def pool_room(execution: ExecutionConfig, pools: int, held: int = 0) -> int:
    """How many pools there is room for beside what others hold.

    Args:
        execution: what they ask for.
        pools: so many are there already.
        held: for so many more their room is held.
    """
    if execution.device == "cpu":
        kind, each = "CPU", cores_per_pool(execution, pools)
    else:
        kind, each = "GPU", gpus_per_pool(execution, pools)
    free = float(ray.available_resources().get(kind, 0))  # type: ignore[no-untyped-call]
    room = min(_total(execution), free + pools * each + held * _each(execution))
    return max(1, min(int(room / _each(execution) + ROUNDING), _most(execution), execution.shards))


def bundle(execution: ExecutionConfig, pools: int | None = None) -> dict[str, float]:
    """What one of so many pools asks for, in Ray's words; of None: one that shares with nobody.

    Raises:
        ExecutorError: pools need a GPU, and the cluster has none.
    """
    if pools is None:
        alone = 1.0 if execution.device == "cuda" else 0.0
        asked = {"CPU": _cores(execution), "GPU": execution.gpus or alone}
    else:
        asked = {"CPU": cores_per_pool(execution, pools), "GPU": gpus_per_pool(execution, pools)}
    return {what: much for what, much in {**asked, "memory": execution.memory_bytes}.items() if much}


def _each(execution: ExecutionConfig) -> float:
    """What a pool has of `_total` where it shares with nobody."""
    return _cores(execution) if execution.device == "cpu" else 1.0


def _cores(execution: ExecutionConfig) -> float:
    """That a pool has use for: as configured, else one for each of its threads."""
    return execution.cpus or float(execution.threads or 1)


def _total(execution: ExecutionConfig) -> float:
    """Of what there is one for each pool: cores of the cluster, or its GPUs."""
    return cores() if execution.device == "cpu" else gpus()


def cores_per_pool(execution: ExecutionConfig, pools: int) -> float:
    """The cores each pool asks for: as configured, else its share, so that all can be placed at once."""
    return execution.cpus or min(_cores(execution), int(100 * cores() / pools) / 100)


def nodes() -> int:
    """The nodes of the whole cluster."""
    return sum(one["Alive"] for one in ray.nodes())  # type: ignore[no-untyped-call]


def _most(execution: ExecutionConfig) -> int:
    """So many pools there is a place for, by the rule for nodes."""
    return nodes() if execution.placement == "strict-spread" else execution.shards


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


def free_resources() -> str:
    """What nobody holds at present, for a message."""
    free = ray.available_resources()  # type: ignore[no-untyped-call]
    return f"{told({'CPU': 0, 'memory': 0, **free})} on {nodes()} nodes"


def told(resources: Mapping[str, float]) -> str:
    """Ray's names and numbers in words."""
    said = [f"{resources['CPU']:g} cores"]
    if "GPU" in resources:
        said.append(f"{resources['GPU']:g} GPUs")
    if "memory" in resources:
        said.append(f"{resources['memory'] / 2**30:.1f} GiB of memory")
    return ", ".join(said)
