"""The client side: whole shards of clients, with everything that is theirs.

A `ClientHost` owns interactions, private states and the evaluation of its shards. Private state
never leaves it: what the server gets is a blob. One host is the whole population under the serial
executor, or one of several in actors on a cluster; it cannot tell the difference.

A *shard* is every S-th client (client mod S), a property of the experiment. What is computed together never
shows in what comes out: where it would, batches are formed per shard, and otherwise of all shards of a host.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.build import build_codec, sparse_bytes_each
from fedras_ray.codecs.feedback import Residual, Unsaid
from fedras_ray.codecs.ragged import RaggedOutgoing, encode_each
from fedras_ray.config import Experiment
from fedras_ray.config.codecs import ResidualFeedback
from fedras_ray.crew import Crew
from fedras_ray.data.interactions import Dataset
from fedras_ray.errors import ClientError, FedrasError
from fedras_ray.evaluation.shards import Ranker, ShardQuality
from fedras_ray.factors import rows_of
from fedras_ray.faults import Faults
from fedras_ray.models.build import build_model
from fedras_ray.privacy import LocalPrivacy
from fedras_ray.private import PrivateStates, Told
from fedras_ray.snapshots.kinds import kept
from fedras_ray.streams import Purpose, stream
from fedras_ray.tensors import accelerator
from fedras_ray.training.local import LocalTraining, Turns
from fedras_ray.training.ragged import Trained
from fedras_ray.work import Assignments

MOST_FLOATS = 1_000_000  # of what changes in turns that are trained together, as far as shards allow: 4 MB
NOT_FINITE = "its update is not finite; lower training.item_rate or training.private_rate"

Table = NDArray[np.float32]
Clients = NDArray[np.int64]
Losses = NDArray[np.float64]


class Sent(NamedTuple):
    """What comes back of C turns: bytes, and numbers about them. Nothing of the clients' own."""

    blobs: Sequence[bytes]
    rows: Clients  # (C,) of each
    samples: Clients  # (C,)
    sparse_bytes: Clients  # (C,) the touched rows in f32
    losses: Losses  # (C,)


@kept()
class ClientState(NamedTuple):
    """Everything of the clients of one shard that training changes."""

    private: Table  # (clients of the shard, P)
    began: Clients  # (b,) clients that may rank with what they were before a turn, increasing
    before: Table  # (b, P) what they were before it
    unsaid: dict[int, Residual]


class ClientHost:
    """The clients of some shards."""

    def __init__(self, experiment: Experiment, dataset: Dataset, shards: Sequence[int]) -> None:
        self._experiment = experiment
        self._dataset = dataset
        self._model = build_model(experiment.model)
        device = accelerator(experiment.execution.device)
        self._training = LocalTraining(experiment, dataset, self._model, device)
        self._codec = build_codec(experiment.codec, device)
        self._views: dict[int, Table] = {}
        self._faults = Faults(experiment.faults, experiment.seed)
        self._privacy = LocalPrivacy(experiment.privacy, experiment.seed)
        feedback = experiment.feedback
        self._unsaid = Unsaid(feedback) if isinstance(feedback, ResidualFeedback) else None
        self._changes_rows = (
            self._unsaid is not None or self._privacy.changes_rows or self._faults.scales_rows
        )
        self._private = PrivateStates(experiment, self._model, dataset.user_count, shards)
        self._ranker = Ranker(experiment, dataset, self._model, device)

    def publish(self, view: int, table: Table) -> None:
        """Hold one more state of the item table, (I, D), read-only."""
        self._views[view] = table

    def retire(self, view: int) -> None:
        """Let a state of the table go that no further work refers to."""
        self._views.pop(view, None)

    def views(self) -> dict[int, Table]:
        """The states of the table that are held."""
        return dict(self._views)

    def state(self, shard: int, at_work: Collection[int] | None = None) -> ClientState:
        """As it is now; later work does not change it.

        Args:
            shard: which.
            at_work: clients that are by the virtual clock: what everybody else was before their turn is
                not asked for any more. None: it is not known who is.
        """
        unsaid = {} if self._unsaid is None else self._unsaid.of(shard, self._shards)
        states, began, before = self._private.told(shard, at_work)
        return ClientState(states, began, before, unsaid)

    def put_back(self, shard: int, state: ClientState) -> None:
        """Go on from a state of before, be it another host's."""
        self._private.put_back(shard, Told(state.private, state.began, state.before))
        if self._unsaid is not None:
            self._unsaid.put_back(shard, self._shards, state.unsaid)

    def requests(self, turns: Sequence[tuple[int, int]]) -> list[NDArray[np.int32]]:
        """The rows (n,) that each (client, turn) will touch, which are those its upload will name."""
        return self._training.rows(*np.array(turns, np.int64).reshape(-1, 2).T)

    def batches(self, work: Mapping[int, Assignments], crew: Crew) -> list[list[int]]:
        """Shards whose turns (shard -> turns) are trained together: a share for each thread, or one by one.

        Where company changes bits there is no thread but one, and it has one shard after the other. What many
        clients change takes much memory, so there may be more shares than threads.
        """
        shards, held = [*work], self._dataset.train.offsets
        if not self._training.is_alike:
            return [[one] for one in shards]
        clients = Assignments.joined([*work.values()]).column("client")
        until = np.concatenate([[0], np.cumsum(held[clients + 1] - held[clients])])
        loads = np.diff(until[np.cumsum([0, *map(len, work.values())])])
        least = math.ceil(self._training.most_floats(clients) / MOST_FLOATS)
        return [shards[its] for its in crew.shares(loads.tolist(), least)]

    @property
    def is_alike(self) -> bool:
        """Whether company changes no bit."""
        return self._training.is_alike

    def train(self, assignments: Assignments) -> Sent:
        """Train and encode the turns of some clients together, in order; those of a shard in a row.

        Raises:
            ClientError: a client's update cannot be computed or encoded.
        """
        trained = self._trained(assignments)
        self._check(assignments, trained)
        outgoing = self._outgoing(assignments, trained)
        blobs = self._encoded(assignments, outgoing)
        clients = assignments.column("client")
        self._private.keep(clients, trained.private)
        if self._unsaid is not None:
            self._unsaid.keep(clients.tolist(), outgoing, blobs, self._codec)
        blobs = self._faults.forged(clients.tolist(), blobs)
        sparse = sparse_bytes_each(outgoing.counts, outgoing.item_count, outgoing.width)
        return Sent(blobs, outgoing.counts, trained.samples, sparse, trained.losses)

    def evaluate(self, shard: int, views: NDArray[np.int64], training: Sequence[int]) -> ShardQuality:
        """Rank for the users of a shard that are asked: those with a test item, or a sample of them.

        Args:
            shard: which.
            views: the view each member ranks with, (members,) or (1,) for all.
            training: clients that are at work by the virtual clock, whatever this machine has
                computed already: they rank with their state from before.
        """
        at_work = np.array([client for client in training if client % self._shards == shard], np.int64)
        users = self._ranker.users(shard)
        private = self._private.to_rank(shard, users, at_work)
        views = np.broadcast_to(views, len(self._private.members(shard)))[users // self._shards]
        return self._ranker.quality(shard, private, views, self._views)

    @property
    def _shards(self) -> int:
        return self._experiment.execution.shards

    def _trained(self, assignments: Assignments) -> Trained:
        of = Turns(*(assignments.column(name) for name in ("client", "turn", "view", "epochs")))
        return self._training.train(of, self._views, self._private.of(of.clients))

    def _check(self, assignments: Assignments, trained: Trained) -> None:
        finite = np.isfinite(trained.private).all(axis=1)  # (C,)
        if not finite.all():
            first = assignments[int(finite.argmin())]
            raise ClientError(first.client, first.version, NOT_FINITE)

    def _outgoing(self, assignments: Assignments, trained: Trained) -> RaggedOutgoing:
        given = trained.delta
        if self._changes_rows:
            clients = assignments.column("client").tolist()
            rows = self._privacy.noised(assignments.names(), trained.offsets, trained.rows)
            if self._unsaid is not None:
                rows = self._unsaid.added(clients, trained.offsets, trained.item_ids, rows)
            given = self._faults.scaled(clients, trained.offsets, rows)
        return RaggedOutgoing(
            trained.offsets,
            trained.item_ids,
            given,
            self._dataset.item_count,
            lambda place: stream(self._experiment.seed, Purpose.ENCODING, *assignments.name(place)),
            assignments.limits("budget_bytes"),
            assignments.column("version").tolist(),
            assignments.limits("actions"),
        )

    def _encoded(self, assignments: Assignments, outgoing: RaggedOutgoing) -> Sequence[bytes]:
        try:
            return encode_each(self._codec, outgoing, lambda: self._bounds(assignments.column("client")))
        except FedrasError as error:
            for place, one in enumerate(assignments):
                if not np.isfinite(rows_of(outgoing.given, outgoing.offsets, place)).all():
                    raise ClientError(one.client, one.version, NOT_FINITE) from error
            first = assignments[0]
            raise ClientError(first.client, first.version, f"its batch cannot be encoded: {error}") from error

    def _bounds(self, clients: Clients) -> list[int]:
        """Where those of one shard begin and end."""
        changes = np.flatnonzero(np.diff(clients % self._shards)) + 1
        return [0, *changes.tolist(), len(clients)] if len(clients) else [0]
