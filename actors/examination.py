"""What every node of a cluster is like: versions, clock, free memory and disk.

The examination needs nothing of this project on the node, so that a node that lacks it can say so.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray import cloudpickle
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.connecting import connected
from fedras_ray.errors import ExecutorError

LIMIT_S = 60.0
PACKAGES = ("fedras-ray", "ray", "torch", "numpy", "pyarrow", "numba")


class Condition(NamedTuple):
    """One node, as it sees itself."""

    address: str
    python: str
    packages: dict[str, str | None]  # None: not there
    clock_s: float  # since the epoch
    cores: int
    memory_free_bytes: int
    disk_free_bytes: int


class Examined(NamedTuple):
    """One node, as we see it."""

    condition: Condition
    ahead_s: float  # its clock against ours, known to half of the time that asking took
    known_to_s: float


def condition(address: str) -> Condition:
    """Of the machine that this runs on."""
    return Condition(
        address,
        platform.python_version(),
        {name: _version(name) for name in PACKAGES},
        time.time(),
        len(os.sched_getaffinity(0)),
        _memory_free_bytes(),
        shutil.disk_usage(Path.home()).free,
    )


def _version(name: str) -> str | None:
    """Installed, or importable from a job's working directory."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
    try:
        return str(__import__(name.replace("-", "_")).__version__)
    except (ImportError, AttributeError):
        return None


def _memory_free_bytes() -> int:
    """What could be had without swapping; of a container, no more than its limit leaves."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return free
    return min(free, int(limit) - used) if limit.isdigit() else free


def examine(address: str | None) -> list[Examined]:
    """Every living node of a cluster.

    Raises:
        ExecutorError: there is no cluster, or a node did not answer.
    """
    with connected(address):
        cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
        try:
            nodes: Any = ray.nodes()  # type: ignore[no-untyped-call]
            return [_examined(node) for node in nodes if node["Alive"]]
        finally:
            cloudpickle.unregister_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]


def _examined(node: dict[str, Any]) -> Examined:
    """Twice: the first call starts a process, the second tells the time."""
    where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    ask: Any = ray.remote(condition).options(num_cpus=0, scheduling_strategy=where)
    address = str(node["NodeManagerAddress"])
    try:
        ray.get(ask.remote(address), timeout=LIMIT_S)
        before_s = time.time()
        found: Condition = ray.get(ask.remote(address), timeout=LIMIT_S)
    except GetTimeoutError as error:
        raise ExecutorError(
            f"node {address} did not answer within {LIMIT_S:g} s; see 'ray status'"
        ) from error
    except RayError as error:
        raise ExecutorError(f"node {address} cannot be examined: {error}") from error
    after_s = time.time()
    return Examined(found, found.clock_s - (before_s + after_s) / 2, (after_s - before_s) / 2)
