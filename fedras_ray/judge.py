"""Quality over virtual time: evaluations are handed over when a version is made, and collected later.

An evaluation is submitted at once, so it sees the private states of that instant, and collected
before the next version is announced, so the machine can train on in the meantime.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fedras_ray.clock import Nanos
from fedras_ray.config import Experiment
from fedras_ray.evaluation.sample import standard_error
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.executor import Executor, Pending
from fedras_ray.flight import Flight
from fedras_ray.records import EvaluationRecord, UserQualityRecord
from fedras_ray.server.downlink import Downlink
from fedras_ray.server.server import Server
from fedras_ray.snapshots.kinds import kept

Scores = tuple[tuple[str, float], ...]


@kept("_asked")
class Judge:
    """Asks every shard how well it is served."""

    def __init__(
        self, experiment: Experiment, user_count: int, executor: Executor, downlink: Downlink, flight: Flight
    ) -> None:
        self._shards = experiment.execution.shards
        self._user_count = user_count
        self._executor = executor
        self._downlink = downlink
        self._flight = flight
        self._asked: list[tuple[int, Nanos, int, int, list[Pending[ShardQuality]]]] = []

    def submit(self, server: Server, at_ns: Nanos) -> None:
        """Have the newest version evaluated."""
        self._flight.hand_over()  # turns that began before are computed before
        parts = []
        for shard in range(self._shards):
            members = np.arange(shard, self._user_count, self._shards)
            views = self._downlink.views(members)
            parts.append(self._executor.evaluate(shard, views, self._flight.training(shard)))
        self._asked.append((server.version, at_ns, server.tally.up, server.tally.down, parts))

    def collect(self, last: bool = False) -> Iterator[EvaluationRecord | UserQualityRecord]:
        """Wait for what was submitted; the `last` time, say how each user is served, too."""
        found: list[ShardQuality] = []
        for version, at_ns, up, down, parts in self._asked:
            found = [part.result() for part in parts]
            asked, tested = sum(len(one.users) for one in found), sum(one.tested for one in found)
            yield EvaluationRecord(version, at_ns, up, down, asked, tested, *means(found, tested))
        if last:
            yield each(self._asked[-1][0], found)
        self._asked = []


def each(version: int, parts: list[ShardQuality]) -> UserQualityRecord:
    """All users of all shards, by their number."""
    users = np.concatenate([part.users for part in parts])
    order = np.argsort(users)
    names = sorted({name for part in parts for name in part.metrics})
    filled = [part for part in parts if len(part.users)]
    columns = (np.concatenate([part.metrics[name] for part in filled])[order] for name in names)
    return UserQualityRecord(
        version,
        users[order].astype(np.int32),
        tuple((name, column.astype(np.float32)) for name, column in zip(names, columns, strict=True)),
    )


def means(parts: list[ShardQuality], tested: int) -> tuple[Scores, Scores]:
    """Means over all users of all shards, in the order of shards, and their standard errors.

    Both are empty without test users, the errors also where everyone was asked: then the mean is the mean.
    """
    filled = [part for part in parts if len(part.users)]
    if not filled:
        return (), ()
    names = sorted(filled[0].metrics)
    columns = {name: np.concatenate([part.metrics[name] for part in filled]) for name in names}
    found = tuple((name, float(values.mean())) for name, values in columns.items())
    if all(len(values) == tested for values in columns.values()):
        return found, ()
    return found, tuple((name, standard_error(values, tested)) for name, values in columns.items())
