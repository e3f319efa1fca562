"""Joining a Ray cluster, or starting one on this machine.

In order: the address that was asked for; ``RAY_ADDRESS`` (which Ray sets inside ``ray job submit``);
a cluster that runs on this machine already; else a new one, without dashboard, that ends with us.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from fedras_ray.config.experiment import ExecutionConfig
from fedras_ray.errors import ExecutorError

STARTS_ITS_OWN = "local"  # as an address: never join, always start
CONNECT_LIMIT_S = 5.0
ROUNDING = 0.05  # pools ask for hundredths of a core, rounded down
REMEDY = "Start one with 'ray start --head', or leave --address out"


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """A connection to Ray for the time of the block.

    Raises:
        ExecutorError: there is no cluster at `address`, or none can be started.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # of a cluster we start: it is as urgent as we are
    if ray.is_initialized():
        yield
        return
    _probe(address or os.environ.get("RAY_ADDRESS", ""))
    try:
        with _own_handler(), naming_failure():
            ray.init(
                address=address, logging_level=logging.ERROR, log_to_driver=False, include_dashboard=None
            ) if _joins(address) else ray.init(
                address="local", logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = address or os.environ.get("RAY_ADDRESS") or "this machine"
        raise ExecutorError(f"no Ray cluster at {where}: {error}. {REMEDY}") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def naming_failure() -> Iterator[None]:
    """Ray says with a bare `Exception` that what it starts does not come up; with a name it can be caught.

    Raises:
        ConnectionError: instead of a bare one.
    """
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise ConnectionError(str(error)) from error


@contextmanager
def _own_handler() -> Iterator[None]:
    """Ray replaces the handler of SIGTERM; ours is put back, so that a run can end tidily."""
    ours = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ours)


def _probe(address: str) -> None:
    """Refuse HOST:PORT where nobody listens: Ray itself would try for minutes, and say so on stderr.

    Ray takes loopback for this machine, whatever its address.
    """
    host, colon, port = address.rpartition(":")
    if not colon or "/" in host or not port.isdigit():
        return
    hosts = [host]
    if host in ("127.0.0.1", "localhost"):
        hosts.append(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
    refusals = []
    for one in hosts:
        try:
            socket.create_connection((one, int(port)), CONNECT_LIMIT_S).close()
        except OSError as error:
            refusals.append(str(error))
        else:
            return
    raise ExecutorError(f"no Ray cluster at {address}: {refusals[0]}. {REMEDY}")


def _joins(address: str | None) -> bool:
    return address != STARTS_ITS_OWN


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
