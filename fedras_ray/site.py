"""Where some shards are computed: their clients on one side, the server's desk on the other.

What goes from one to the other is a blob, and what leaves a site for the rest of the server are numbers about
it and sums over many. One site has the whole population under the serial executor, or it is one of several in
actors on a cluster; it cannot tell the difference.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clients import ClientHost, ClientState
from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.blobs import lengths
from fedras_ray.codecs.build import build_codec
from fedras_ray.config import Experiment
from fedras_ray.crew import Crew
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ClientError
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.faults import Faults
from fedras_ray.server.desk import Batch, Desk, Seen
from fedras_ray.server.folding import Climbs, Partial, Shares, arriving, joined
from fedras_ray.server.robust import together
from fedras_ray.snapshots.kinds import kept
from fedras_ray.work import Assignments, Receipts, Round


@kept()
class ShardState(NamedTuple):
    """Everything of one shard that work changes."""

    shard: int
    clients: ClientState
    kept: dict[tuple[int, int], ItemUpdate | bytes]  # of (client, turn) whose version is not made yet


@kept()
class Rounded(NamedTuple):
    """What a round came to."""

    receipts: Receipts
    sums: list[Partial]


class Site:
    """See the module.

    Args:
        experiment: what is computed.
        dataset: of all clients.
        shards: those that are here, adjoining.
        threads: that share their work where company changes no bit.
    """

    def __init__(self, experiment: Experiment, dataset: Dataset, shards: range, threads: int = 1) -> None:
        self._shards = shards
        self._all_shards = experiment.execution.shards
        self._faults = Faults(experiment.faults, experiment.seed)
        self.clients = ClientHost(experiment, dataset, shards)
        self._crew = Crew(threads if self.clients.is_alike else 1)
        defence = experiment.server.defence
        self.desk = Desk(
            build_codec(experiment.codec),
            dataset.item_count,
            experiment.model.width,
            measures=defence.clip.kind != "none",
            checks=defence.finite,
            gathers=experiment.server.aggregate.kind != "sum",
        )
        self._together = together(experiment.server.aggregate)

    def train(self, work: Mapping[int, Assignments]) -> Receipts:
        """Turns of some clients of some shards (shard -> turns), and what arrived of them.

        Raises:
            ClientError: a client's update cannot be computed, encoded or decoded.
        """

        def some(shards: list[int]) -> Receipts:
            turns = Assignments.joined([work[shard] for shard in shards])
            receipts, batch = self._train(turns)
            self.desk.keep(turns.names(), batch)
            return receipts

        return Receipts.joined(self._crew.each(some, self.clients.batches(work, self._crew)))

    def round(self, work: Mapping[int, Round]) -> Rounded:
        """As `train`, and what was not refused added up at once (shard -> turns), in the order of arrival.

        Raises:
            ClientError: as `train`.
            FleetError: a link that is too slow for what is sent.
        """
        turns = {shard: one.assignments for shard, one in work.items()}

        def some(shards: list[int]) -> tuple[Receipts, list[Partial]]:
            receipts, batch = self._train(Assignments.joined([turns[shard] for shard in shards]))
            due = arriving([work[shard] for shard in shards], receipts)
            mine = range(shards[0], shards[-1] + 1)
            climbs = Climbs.of(shards, mine, self._all_shards)
            return receipts, self._joined(self.desk.sums_of(shards, batch, due, climbs), mine)

        done = self._crew.each(some, self.clients.batches(turns, self._crew))
        sums = [one for _, found in done for one in found]
        receipts = Receipts.joined([receipts for receipts, _ in done])
        return Rounded(receipts, self._joined(sums, self._shards))

    def _joined(self, sums: Sequence[Partial], shards: range) -> list[Partial]:
        return joined(sums, shards, self._all_shards, self._together)

    def _train(self, assignments: Assignments) -> tuple[Receipts, Batch]:
        sent = self.clients.train(assignments)
        arrived = sent.blobs
        if self._faults.flips_bits:
            arrived = self._faults.in_flight(assignments.names(), sent.blobs)
        batch = self.desk.look_into(arrived)
        seen = batch.seen
        self._check(assignments, sent.blobs, arrived, seen)
        clients, sizes = assignments.column("client"), lengths(sent.blobs)
        whole = clients, sizes, sent.rows, sent.samples, sent.sparse_bytes, seen.actions, seen.is_refused
        return Receipts(np.column_stack(whole), np.column_stack([sent.losses, seen.lengths])), batch

    def _check(
        self, assignments: Assignments, sent: Sequence[bytes], arrived: Sequence[bytes], seen: Seen
    ) -> None:
        """Name the first client whose blob is refused though nobody damaged it."""
        for place, error in sorted(seen.errors.items()):
            one = assignments[place]
            if arrived[place] == sent[place] and not self._faults.means_harm(one.client):
                told = f"what it sent cannot be decoded: {error}"
                raise ClientError(one.client, one.version, told) from error

    def fold(
        self, shares: Mapping[int, Shares], gone: Mapping[int, Sequence[tuple[int, int]]]
    ) -> list[Partial]:
        """Sums of what some turns sent (shard -> turns in the order of arrival), and others forgotten.

        Args:
            shares: what to add up; it is forgotten then.
            gone: (client, turn) of which no version will be made.
        """
        for some in gone.values():
            self.desk.shelf.forget(some)
        climbs = Climbs.of([*shares], self._shards, self._all_shards)
        return self._joined(self.desk.fold(shares, climbs), self._shards)

    def requests(self, turns: Mapping[int, Sequence[tuple[int, int]]]) -> dict[int, NDArray[np.int32]]:
        """The rows (n,) that the (client, turn) of some shards will touch; client -> rows."""
        asked = [one for some in turns.values() for one in some]
        rows = self.clients.requests(asked)
        return {client: ids for (client, _), ids in zip(asked, rows, strict=True)}

    def states(self, at_work: Collection[int] | None = None) -> list[ShardState]:
        """Each shard as it is now; see `ClientHost.state`."""
        return [
            ShardState(
                shard, self.clients.state(shard, at_work), self.desk.shelf.state(shard, self._all_shards)
            )
            for shard in self._shards
        ]

    def put_back(self, states: Sequence[ShardState]) -> None:
        """Go on from states of these shards, wherever they are from."""
        for one in states:
            self.clients.put_back(one.shard, one.clients)
            self.desk.shelf.put_back(one.shard, self._all_shards, one.kept)

    def publish(self, view: int, table: NDArray[np.float32]) -> None:
        """See `ClientHost.publish`."""
        self.clients.publish(view, table)

    def retire(self, view: int) -> None:
        """See `ClientHost.retire`."""
        self.clients.retire(view)

    def evaluate(self, shard: int, views: NDArray[np.int64], training: Sequence[int]) -> ShardQuality:
        """See `ClientHost.evaluate`."""
        return self.clients.evaluate(shard, views, training)
