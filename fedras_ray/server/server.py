"""The server: a table, the updates since its last version, and how they become the next one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import Nanos
from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.config import Experiment
from fedras_ray.models.base import Model
from fedras_ray.records import EndRecord, VersionRecord
from fedras_ray.server.aggregation import Accumulator
from fedras_ray.server.optimizers import build_optimizer
from fedras_ray.server.policies import rate_factor, staleness_weight
from fedras_ray.server.tally import Tally
from fedras_ray.streams import Purpose, stream


class Server:
    """Works with what it decoded; never sees an interaction or a private state."""

    def __init__(self, experiment: Experiment, item_count: int, model: Model) -> None:
        self._config = experiment.server
        self._versions = experiment.schedule.versions
        self.table: NDArray[np.float32] = model.initial_items(
            item_count, stream(experiment.seed, Purpose.ITEM_TABLE)
        )
        self._optimizer = build_optimizer(self._config.optimizer, *self.table.shape)
        self._sum = Accumulator(*self.table.shape)
        self.version = 0
        self.made_at_ns = Nanos(0)  # when the newest version was made
        self.client_updates = 0
        self.tally = Tally()
        self._staleness_total = 0  # over all updates used
        self._staleness_since = 0  # over the updates since the last version
        self._loss_since = 0.0

    @property
    def arrived(self) -> int:
        """Updates since the last version."""
        return self._sum.updates

    @property
    def mean_staleness(self) -> float:
        """Over all updates used so far, in versions."""
        return self._staleness_total / max(1, self.client_updates)

    def take(self, update: ItemUpdate, staleness: int, loss: float, relative_samples: float) -> None:
        """Fold one arrived update in; `relative_samples` is the client's data over the average client's."""
        weight = staleness_weight(self._config.staleness, staleness)
        if self._config.client_weight == "samples":
            weight *= relative_samples
        self._sum.add(update, weight)
        self.client_updates += 1
        self._staleness_total += staleness
        self._staleness_since += staleness
        self._loss_since += loss

    def advance(self, at_ns: Nanos, in_flight: int, downlink_state_bytes: int) -> VersionRecord:
        """Make the next version from what arrived."""
        updates = self._sum.updates
        touched, step = self._sum.step(self._config.count_power)
        factor = rate_factor(self._config.decay, self.version, self._versions)
        self._optimizer.apply(self.table, touched, step, factor)
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
            downlink_state_bytes=downlink_state_bytes,
        )
        self._staleness_since, self._loss_since = 0, 0.0
        return record

    def end(self, closing_bytes: int, downlink_state_bytes: int, trace_digest: str) -> EndRecord:
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
            mean_staleness=self.mean_staleness,
            trace_digest=trace_digest,
        )
