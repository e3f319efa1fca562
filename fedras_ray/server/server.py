"""The server: a table, what it knows of the updates since its last version, and how they become the next one.

Updates themselves are added up where they arrived (`server.desk`); here are their weights, and their sum.
"""

from __future__ import annotations

import functools
import operator

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import Nanos
from fedras_ray.config import Experiment
from fedras_ray.models.base import Model
from fedras_ray.models.start import first_items
from fedras_ray.records import EndRecord, VersionRecord
from fedras_ray.server.aggregation import step
from fedras_ray.server.defence import Clipping
from fedras_ray.server.folding import Partial
from fedras_ray.server.optimizers import build_optimizer
from fedras_ray.server.policies import limited_weight, rate_factor, staleness_weight
from fedras_ray.server.robust import middle_step
from fedras_ray.server.schedules import tier_count, tier_factor
from fedras_ray.server.tally import Tally
from fedras_ray.snapshots.kinds import kept
from fedras_ray.streams import Purpose, stream

Floats = NDArray[np.float64]


@kept(
    "table",
    "_optimizer",
    "_arrived",
    "_weight",
    "_versions_of",
    "version",
    "made_at_ns",
    "client_updates",
    "tally",
    "_staleness_total",
    "_staleness_since",
    "_loss_since",
    "_clipping",
)
class Server:
    """Works with what it decoded; never sees an interaction or a private state."""

    def __init__(self, experiment: Experiment, item_count: int, model: Model) -> None:
        self._config = experiment.server
        self._versions = experiment.schedule.versions
        self.table: NDArray[np.float32] = first_items(
            experiment.model, model, item_count, stream(experiment.seed, Purpose.ITEM_TABLE)
        )
        self._optimizer = build_optimizer(self._config.optimizer, *self.table.shape)
        self._schedule = experiment.schedule
        self._arrived = [0] * tier_count(self._schedule)  # since the last version of each tier
        self._weight = [0.0] * len(self._arrived)  # of these
        self._versions_of = np.zeros(len(self._arrived), dtype=np.int64)  # made by each tier
        self.version = 0
        self.made_at_ns = Nanos(0)  # when the newest version was made
        self.client_updates = 0
        self.tally = Tally()
        self._staleness_total = 0  # over all updates used
        self._staleness_since = 0  # over the updates since the last version
        self._loss_since = 0.0
        self._weights: dict[int, float] = {}  # by staleness
        self._clipping = Clipping(self._config.defence.clip)

    def arrived(self, tier: int) -> int:
        """Updates of a tier since its last version."""
        return self._arrived[tier]

    @property
    def mean_staleness(self) -> float:
        """Over all updates used so far, in versions."""
        return self._staleness_total / max(1, self.client_updates)

    def uses(self, staleness: int) -> bool:
        """Whether an update that is `staleness` versions old is used at all."""
        return limited_weight(self._config.staleness_limit, staleness) > 0

    def take(
        self, staleness: int, loss: float, relative_samples: float, tier: int = 0, length: float = 0.0
    ) -> float:
        """One more update arrived; returns the weight with which it goes into the tier's next version.

        `relative_samples` is the client's data over the average client's, `length` the update's norm.
        """
        weight = self._weight_of(staleness)
        if self._config.client_weight == "samples":
            weight *= relative_samples
        self._arrived[tier] += 1
        self._weight[tier] += weight
        self.client_updates += 1
        self._staleness_total += staleness
        self._staleness_since += staleness
        self._loss_since += loss
        return weight * self._clipping.factor(length)

    def weigh_each(self, count: int, relative_samples: Floats | None) -> Floats:
        """(n,) what `take` will say of fresh updates, where nothing is clipped; None: all have as many."""
        fresh = np.full(count, self._weight_of(0))
        return fresh if relative_samples is None else fresh * relative_samples

    def take_each(self, losses: Floats, weights: Floats, tier: int) -> None:
        """`take` of fresh updates (n,), one after the other, with weights from `weigh_each`."""
        self._arrived[tier] += len(losses)
        in_turn = functools.partial(functools.reduce, operator.add)  # `sum` and NumPy's add otherwise
        self._weight[tier] = in_turn(weights.tolist(), self._weight[tier])
        self._loss_since = in_turn(losses.tolist(), self._loss_since)
        self.client_updates += len(losses)

    def _weight_of(self, staleness: int) -> float:
        if staleness not in self._weights:
            weight = staleness_weight(self._config.staleness, staleness)
            self._weights[staleness] = weight * limited_weight(self._config.staleness_limit, staleness)
        return self._weights[staleness]

    def advance(
        self,
        total: Partial | None,
        at_ns: Nanos,
        in_flight: int,
        left_for_later: int,
        downlink_state_bytes: int,
        tier: int = 0,
    ) -> VersionRecord:
        """Make the next version from what arrived in a tier, which is `total`; None: nothing did."""
        updates, self._arrived[tier] = self._arrived[tier], 0
        weight, self._weight[tier] = self._weight[tier], 0.0
        self._versions_of[tier] += 1
        factor = rate_factor(self._config.decay, self.version, self._versions)
        factor *= tier_factor(self._schedule, self._versions_of, tier)
        if total is not None:
            ids, steps = self._steps(total, weight)
            self._optimizer.apply(self.table, ids, steps, factor)
        self.version += 1
        self.made_at_ns = at_ns
        record = VersionRecord(
            version=self.version,
            at_ns=at_ns,
            updates=updates,
            mean_staleness=self._staleness_since / max(1, updates),
            train_loss=self._loss_since / max(1, updates),
            up_bytes=self.tally.up,
            down_bytes=self.tally.down,
            catch_up_bytes=self.tally.catch_up,
            snapshot_bytes=self.tally.snapshots,
            wasted_bytes=self.tally.wasted,
            dense_up_bytes=self.tally.dense_up,
            dense_down_bytes=self.tally.dense_down,
            sparse_up_bytes=self.tally.sparse_up,
            client_updates=self.client_updates,
            in_flight=in_flight,
            left_for_later=left_for_later,
            downlink_state_bytes=downlink_state_bytes,
        )
        self._staleness_since, self._loss_since = 0, 0.0
        return record

    def _steps(self, total: Partial, weight: float) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The touched items (t,) and their steps (t, D)."""
        config = self._config
        if config.aggregate.kind != "sum":
            return middle_step(total.ids, total.rows, config.aggregate, config.count_power)
        power = config.count_power if config.average == "items" else None
        return total.ids, step(total.rows, total.counts, weight, power)

    def end(
        self,
        closing_bytes: int,
        downlink_state_bytes: int,
        left_for_later: int,
        participation_gini: float,
        participation_jain: float,
        trace_digest: str,
    ) -> EndRecord:
        """What the whole run comes to."""
        tally = self.tally
        return EndRecord(
            at_ns=self.made_at_ns,
            versions=self.version,
            client_updates=self.client_updates,
            up_bytes=tally.up,
            down_bytes=tally.down + closing_bytes,
            catch_up_bytes=tally.catch_up,
            snapshot_bytes=tally.snapshots,
            closing_bytes=closing_bytes,
            wasted_bytes=tally.wasted,
            dense_up_bytes=tally.dense_up,
            dense_down_bytes=tally.dense_down,
            sparse_up_bytes=tally.sparse_up,
            downlink_state_bytes=downlink_state_bytes,
            left_for_later=left_for_later,
            participation_gini=participation_gini,
            participation_jain=participation_jain,
            mean_staleness=self.mean_staleness,
            trace_digest=trace_digest,
            refused_bytes=tally.refused,
            duplicate_bytes=tally.duplicates,
        )
