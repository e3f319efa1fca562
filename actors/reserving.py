"""Room on the cluster for the pools of a run: all of it or none, spread over nodes, and given back.

Ray's placement groups do it. Two runs that come at the same time cannot each hold half of what they need, and
Ray's autoscaler sees what is waited for and lets nodes join. A group outlives the actor that made it for as
long as the driver lives (seen in Ray 2.60), so the name of every group begins with its run's, by which they
are found and given back.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping
from typing import Any

import ray
from ray._raylet import PlacementGroupID
from ray.util.placement_group import (
    PlacementGroup,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from ray.util.scheduling_strategies import (
    NodeAffinitySchedulingStrategy,
    PlacementGroupSchedulingStrategy,
)

from fedras_ray.config.experiment import ExecutionConfig
from fedras_ray.errors import ExecutorError

PREFIX = "fedras-pools-"
SETTLE_S = 2.0  # for a bundle whose node is known to be gone, to find another one
ANSWER_S = 2.0  # for a node to answer a connection
Bundle = Mapping[str, float]


def new_run() -> str:
    """A name that no other run's groups have."""
    return PREFIX + secrets.token_hex(8)


def give_back(run: str) -> None:
    """Let go of every group of a run, whoever made it; what is in them ends."""
    for hexadecimal, group in _table().items():
        if group["name"].startswith(run) and group["state"] != "REMOVED":
            remove_placement_group(PlacementGroup(PlacementGroupID.from_hex(hexadecimal)))


class Reservation:
    """A bundle for each pool of a run.

    Args:
        run: by which it is found again.
        bundle: what a pool asks for: cores, GPUs, memory.
        pools: how many.
        execution: with how they are spread.
    """

    def __init__(self, run: str, bundle: Bundle, pools: int, execution: ExecutionConfig) -> None:
        strategy = execution.placement.upper().replace("-", "_")
        self.run = run
        self._group = placement_group([dict(bundle)] * pools, strategy, name=_name(run))

    def place_of(self, number: int) -> PlacementGroupSchedulingStrategy:
        """Where a pool goes."""
        return PlacementGroupSchedulingStrategy(self._group, placement_group_bundle_index=number)

    def is_there(self, number: int) -> bool:
        """Whether there is a node that has the room of a pool.

        Ray may take many seconds to notice that a node is gone (12 and more were seen), so the node is asked.
        """
        if not self._group.wait(SETTLE_S):
            return False
        node_of: dict[int, str] = _table(self._group)["bundles_to_node_id"]
        return any(one["NodeID"] == node_of.get(number) and _answers(one) for one in _nodes())

    def give_back(self) -> None:
        """Let go of it; what is in it ends."""
        remove_placement_group(self._group)


class Wish:
    """More pools than there is room for: Ray's autoscaler is asked for theirs, one by one.

    Args:
        run: by which the groups are found again.
        bundle: what a pool would ask for.
    """

    def __init__(self, run: str, bundle: Bundle) -> None:
        self._run, self._bundle = run, bundle
        self._groups: list[PlacementGroup] = []

    def ask(self, pools: int) -> None:
        """For so many, instead of all before."""
        self.give_back()
        names = [_name(self._run) for _ in range(pools)]
        self._groups = [placement_group([dict(self._bundle)], name=one) for one in names]

    def granted(self) -> int:
        """For how many there is room by now, which is held for them."""
        return sum(_table(group)["state"] == "CREATED" for group in self._groups)

    def give_back(self) -> None:
        """Ask for none, and let go of what was held."""
        for group in self._groups:
            remove_placement_group(group)
        self._groups = []


def elsewhere(number: int) -> NodeAffinitySchedulingStrategy:
    """Where a pool goes whose room is gone: to one of the nodes that answer, by turns.

    Raises:
        ExecutorError: none does.
    """
    nodes = [one["NodeID"] for one in _nodes() if _answers(one)]
    if not nodes:
        raise ExecutorError("no node of the cluster answers")
    return NodeAffinitySchedulingStrategy(nodes[number % len(nodes)], soft=False)


def _nodes() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return nodes


def _name(run: str) -> str:
    """Of a group; no two may have the same."""
    return f"{run}-{secrets.token_hex(4)}"


def _table(group: PlacementGroup | None = None) -> dict[str, Any]:
    found: dict[str, Any] = placement_group_table(group)
    return found


def _answers(node: Mapping[str, Any]) -> bool:
    if not node["Alive"]:
        return False
    try:
        socket.create_connection((node["NodeManagerAddress"], node["NodeManagerPort"]), ANSWER_S).close()
    except OSError:
        return False
    return True
