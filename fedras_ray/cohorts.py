"""Turns that begin together and that nothing can disturb, as columns: a whole round in a few steps.

Where a version is made of everyone who was asked, nobody leaves, and no link is shared or changes, a turn's
instants hang on nothing but itself. The events of such a round are those of `journeys`, at the same instants
and in the same order, and so are its records and its digest; they are counted with arrays instead of one by
one (what that is worth: docs/scale.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fedras_ray.asked import Asked, Columns
from fedras_ray.asked import columns as asked_columns
from fedras_ray.clock import Nanos
from fedras_ray.config import Experiment
from fedras_ray.config.network import AlwaysAvailable, NoVariation
from fedras_ray.config.schedule import SyncSchedule
from fedras_ray.journeys import Surroundings
from fedras_ray.records import Fate
from fedras_ray.server.downlink import Delivery
from fedras_ray.server.folding import order_of_arrival
from fedras_ray.trace import Kind
from fedras_ray.turns import Cohort, Column
from fedras_ray.work import PACE, Assignments, Round

SUMMED = ("byte_count", "catch_up_bytes", "snapshot_bytes", "request_bytes")  # of a delivery, in its order


def is_undisturbed(experiment: Experiment) -> bool:
    """Whether all turns of an experiment are such."""
    network, faults = experiment.network, experiment.faults
    return (
        isinstance(experiment.schedule, SyncSchedule)
        and isinstance(network.variation, NoVariation)
        and isinstance(network.availability, AlwaysAvailable)
        and network.server_uplink_bytes_per_s is None
        and network.server_downlink_bytes_per_s is None
        and experiment.server.defence.clip.kind == "none"  # what was sent says nothing of its weight
        and not (network.loss or network.dropout or faults.duplicate or faults.reorder)
    )


class Cohorts:
    """Moves cohorts on.

    Args:
        surroundings: what their turns take place in.
        samples: (U,) that a client trains on in one epoch.
        dense_bytes: of a dense table in f32, one way.
        weigh: the weights (n,) with which updates of clients (n,) go into the next version.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        samples: Column,
        dense_bytes: int,
        weigh: Callable[[Column], NDArray[np.float64]],
    ) -> None:
        self._in = surroundings
        self._weigh = weigh
        self._samples = samples
        self._dense_bytes = dense_bytes

    def begin(self, asked: Sequence[Asked], version: int, tier: int, number: int) -> None:
        """Clients were asked, in a tier's round of that number; they begin to train at once."""
        told = asked_columns(asked)
        columns, got = _begun(told, version, tier), told.delivery
        self._download(columns, got)
        self._train(columns)
        weights = self._weigh(columns["client"])
        self._in.flight.begin_round(Round(_orders(told, version), self._pace(columns, weights)))
        self._note(columns, got)  # nobody waits for that
        if self._in.downlink.alike is None:
            for one in asked:
                self._in.downlink.delivered(one.client, one.delivery, one.rows)
        cohort = Cohort(tier, number, columns, weights)
        self._in.clock.at(Nanos(int(columns["trained_at_ns"].min())), cohort)

    def _note(self, columns: dict[str, Column], got: dict[str, Column]) -> None:
        """That they were sent something."""
        now, clients = self._in.clock.now_ns, columns["client"]
        self._in.trace.add_each(now, Kind.DISPATCHED, clients, columns["version"], got["byte_count"])
        dense_bytes = len(clients) * self._dense_bytes
        self._in.tally.sent(Delivery(0, *(int(got[name].sum()) for name in SUMMED)), dense_bytes)

    def _pace(self, columns: dict[str, Column], weights: NDArray[np.float64]) -> NDArray[np.void]:
        clients, fleet = columns["client"], self._in.fleet
        pace = np.empty(len(clients), PACE)
        pace["trained_at_ns"] = columns["trained_at_ns"]
        pace["latency_s"] = fleet.latency_s[clients]
        pace["uplink_bytes_per_s"] = fleet.uplink_bytes_per_s[clients]
        pace["weight"] = weights
        return pace

    def _download(self, columns: dict[str, Column], got: dict[str, Column]) -> None:
        now, fleet, clients = self._in.clock.now_ns, self._in.fleet, columns["client"]
        down, request = got["byte_count"], got["request_bytes"]
        dense = np.full(len(clients), self._dense_bytes)
        asked_at_ns = np.full(len(clients), now)
        if request.any():
            asked_at_ns += np.where(request > 0, fleet.each_upload_ns(clients, request), 0)
        columns |= {
            "device_class": fleet.device_class[clients].astype(np.int64),
            "dispatched_at_ns": np.full(len(clients), now),
            "started_at_ns": asked_at_ns + fleet.each_download_ns(clients, down),
            "down_bytes": down,
            "catch_up_bytes": got["catch_up_bytes"],
            "snapshot_bytes": got["snapshot_bytes"],
            "request_bytes": request,
            "dense_down_bytes": dense,
            "dense_up_bytes": dense,
        }

    def _train(self, columns: dict[str, Column]) -> None:
        clients = columns["client"]
        train_ns = self._in.fleet.each_train_ns(clients, self._samples[clients] * columns["epochs"])
        columns["trained_at_ns"] = columns["started_at_ns"] + train_ns

    def upload(self, cohort: Cohort) -> None:
        """The first training ends now; wait for what was computed in all, and send it."""
        columns, fleet = cohort.columns, self._in.fleet
        receipts, sums = self._in.flight.finish_round(columns["client"])
        sizes, is_refused = receipts.column("byte_count"), receipts.column("refused") > 0
        columns |= {
            "arrived_at_ns": columns["trained_at_ns"] + fleet.each_upload_ns(columns["client"], sizes),
            "up_bytes": sizes + columns["request_bytes"],
            "sparse_up_bytes": receipts.column("sparse_bytes"),
            "samples": receipts.column("samples"),
            "rows": receipts.column("rows"),
            "actions": np.where(is_refused, 0, receipts.column("actions")),
            "fate": np.where(is_refused, int(Fate.REFUSED), int(Fate.USED)),
        }
        arriving = order_of_arrival(columns["trained_at_ns"], columns["arrived_at_ns"])
        cohort.columns = {name: column[arriving] for name, column in columns.items()}
        cohort.weights, cohort.receipts, cohort.sums = cohort.weights[arriving], receipts.at(arriving), sums
        self._in.clock.at(Nanos(int(cohort.columns["arrived_at_ns"][-1])), cohort)

    def arrive(self, cohort: Cohort) -> None:
        """The last upload is through: note all ends of trainings and uploads as they came."""
        arrived = cohort.columns
        foreseen = np.lexsort((arrived["place"], arrived["trained_at_ns"]))  # the order of uploads
        trained = {name: column[foreseen] for name, column in arrived.items()}
        came = np.where(arrived["fate"] == Fate.USED, int(Kind.ARRIVED), int(Kind.REFUSED))
        kinds = np.concatenate([np.full(len(came), int(Kind.TRAINED)), came])
        both = {name: np.concatenate([trained[name], arrived[name]]) for name in ("client", "version")}
        sizes = np.concatenate([one["up_bytes"] - one["request_bytes"] for one in (trained, arrived)])
        at_ns = np.concatenate([trained["trained_at_ns"], arrived["arrived_at_ns"]])
        order = np.argsort(at_ns, kind="stable")  # at one instant trainings first: they were foreseen first
        self._in.trace.add_each(
            at_ns[order], kinds[order], both["client"][order], both["version"][order], sizes[order]
        )


def _begun(told: Columns, version: int, tier: int) -> dict[str, Column]:
    count = len(told.client)
    return {
        "client": told.client,
        "place": np.arange(count),  # among those who were asked
        "turn": told.turn,
        "version": np.full(count, version),
        "epochs": told.epochs,
        "predicted_ns": told.predicted_ns,
        "tier": np.full(count, tier),
        "staleness": np.zeros(count, np.int64),
        "duplicate_bytes": np.zeros(count, np.int64),
    }


def _orders(told: Columns, version: int) -> Assignments:
    """What they are told to do."""
    versions, views = np.full(len(told.client), version), told.delivery["view"]
    whole = told.client, told.turn, versions, views, told.budget_bytes, told.epochs, told.actions
    return Assignments(np.column_stack(whole))
