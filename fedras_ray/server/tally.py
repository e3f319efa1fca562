"""Bytes since the start of a run, beside what dense f32 would have cost for the same turns."""

from __future__ import annotations

from dataclasses import dataclass

from fedras_ray.records import Fate
from fedras_ray.server.downlink import Delivery
from fedras_ray.snapshots.kinds import kept


@kept(
    "up",
    "down",
    "catch_up",
    "snapshots",
    "wasted",
    "refused",
    "duplicates",
    "dense_up",
    "dense_down",
    "sparse_up",
)
@dataclass(slots=True)
class Tally:
    """Every byte counted is the length of a blob that exists."""

    up: int = 0
    down: int = 0
    catch_up: int = 0  # for versions that clients had missed; part of `down`
    snapshots: int = 0  # for clients that had nothing to build on; part of `down`
    wasted: int = 0  # uploads that arrived and were not used; part of `up`
    refused: int = 0  # uploads that did not open; part of `wasted`
    duplicates: int = 0  # second copies of uploads; part of `wasted`
    dense_up: int = 0
    dense_down: int = 0
    sparse_up: int = 0  # the touched rows in f32, for the same uploads

    def sent(self, delivery: Delivery, dense: int) -> None:
        """A client received its download, or what `through` left of it."""
        self.down += delivery.byte_count
        self.up += delivery.request_bytes
        self.catch_up += delivery.catch_up_bytes
        self.snapshots += delivery.snapshot_bytes
        self.dense_down += dense

    def received(self, byte_count: int, dense: int, sparse: int, fate: Fate) -> None:
        """A client's upload arrived, or was cut off after so many bytes."""
        self.up += byte_count
        self.dense_up += dense
        self.sparse_up += sparse
        if fate is not Fate.USED:
            self.wasted += byte_count
        if fate is Fate.REFUSED:
            self.refused += byte_count

    def received_again(self, byte_count: int) -> None:
        """An upload arrived that had arrived before."""
        self.up += byte_count
        self.wasted += byte_count
        self.duplicates += byte_count
