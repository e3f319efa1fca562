"""Schedules and networks under which the engine is tried, and what must hold whatever happens."""

from collections import Counter

import numpy as np

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.records import EndRecord, EvaluationRecord, Fate, TurnRecord, UserQualityRecord, VersionRecord
from fedras_ray.server.schedules import most_at_once, tier_count

TINY = [
    "data.kind=synthetic",
    "data.users=60",
    "data.items=50",
    "data.mean_interactions=6",
    "model.width=4",
    "codec.actions.kind=fixed",
    "codec.actions.count=4",
    "evaluation.every=3",
    "execution.shards=3",
]
SCHEDULES = {
    "sync": ["schedule.versions=4", "schedule.clients_per_version=12"],
    "sync-deadline": [
        "schedule.kind=sync-deadline",
        "schedule.versions=6",
        "schedule.clients_per_version=12",
        "schedule.deadline_s=0.12",
    ],
    "deadline, late wasted": [
        "schedule.kind=sync-deadline",
        "schedule.versions=6",
        "schedule.clients_per_version=12",
        "schedule.deadline_s=0.12",
        "schedule.late=waste",
    ],
    "over-selection": [
        "schedule.kind=over-selection",
        "schedule.versions=6",
        "schedule.clients_per_version=8",
        "schedule.extra=0.5",
    ],
    "buffered": [
        "schedule.kind=buffered",
        "schedule.versions=10",
        "schedule.concurrency=15",
        "schedule.buffer=4",
    ],
    "async": ["schedule.kind=async", "schedule.versions=40", "schedule.concurrency=10"],
    "tiered": ["schedule.kind=tiered", "schedule.versions=12", "schedule.clients_per_version=6"],
}
NETWORKS = {
    "calm": [],
    "shaky": [
        "network.variation.kind=gamma",
        "network.variation.cv=0.8",
        "network.variation.hold_s=0.1",
        "network.dropout=0.3",
        "network.loss=0.2",
    ],
    "on and off": [
        "network.availability.kind=renewal",
        "network.availability.mean_on_s=1",
        "network.availability.mean_off_s=2",
    ],
    "narrow server": [
        "network.server_uplink_bytes_per_s=60000",
        "network.server_downlink_bytes_per_s=20000",
        "network.dropout=0.2",
    ],
    "narrow and shaky": [
        "network.server_uplink_bytes_per_s=60000",
        "network.server_downlink_bytes_per_s=20000",
        "network.variation.kind=log-normal",
        "network.variation.hold_s=0.05",
        "network.dropout=0.2",
        "network.loss=0.1",
        "network.availability.kind=renewal",
        "network.availability.mean_on_s=2",
        "network.availability.mean_off_s=1",
    ],
}
FAULTS = [
    "faults.flip=0.2",
    "faults.flipped_bits=3",
    "faults.duplicate=0.3",
    "faults.reorder=0.3",
    "faults.delay_s=0.2",
]


def world(*settings):
    """An experiment and its data."""
    experiment = build({}, [*TINY, *settings])
    return experiment, load(experiment.data, experiment.seed)


def instant(record):
    """When a record says that it happened; None for those that come later than what they tell of."""
    if isinstance(record, EvaluationRecord | UserQualityRecord | EndRecord):
        return None
    return record.arrived_at_ns if isinstance(record, TurnRecord) else record.at_ns


class Watch:
    """Follows records, and asserts at each what may never be otherwise."""

    def __init__(self, experiment):
        self.schedule = experiment.schedule
        self.now = 0
        self.turns, self.versions = [], []
        self.busy_until = {}  # client -> the end of its last turn
        self.up = self.down = self.wasted = self.used = self.refused = self.duplicates = 0

    def see(self, record):
        at = instant(record)
        if at is not None:
            assert at >= self.now, "time ran back"
            self.now = at
        match record:
            case TurnRecord():
                self.see_turn(record)
            case VersionRecord():
                self.see_version(record)
            case EndRecord():
                self.see_end(record)

    def see_turn(self, turn):
        assert turn.dispatched_at_ns <= turn.started_at_ns <= turn.trained_at_ns <= turn.arrived_at_ns
        assert turn.dispatched_at_ns >= self.busy_until.get(turn.client, 0), "two turns at once"
        self.busy_until[turn.client] = turn.arrived_at_ns
        assert 0 <= turn.request_bytes <= turn.up_bytes
        assert turn.catch_up_bytes + turn.snapshot_bytes <= turn.down_bytes
        if turn.fate is not Fate.DROPPED:
            assert turn.up_bytes > 0
            assert turn.samples > 0
        self.turns.append(turn)
        self.up += turn.up_bytes
        self.down += turn.down_bytes
        assert turn.duplicate_bytes in (0, turn.up_bytes - turn.request_bytes - turn.duplicate_bytes)
        self.duplicates += turn.duplicate_bytes
        if turn.fate is Fate.USED:
            self.used += 1
            self.wasted += turn.duplicate_bytes
        else:
            self.wasted += turn.up_bytes - turn.request_bytes
        if turn.fate is Fate.REFUSED:
            self.refused += turn.up_bytes - turn.request_bytes - turn.duplicate_bytes

    def see_version(self, version):
        self.versions.append(version)
        assert version.version == len(self.versions)
        assert version.client_updates == self.used
        assert version.updates > 0
        assert version.in_flight <= self.most() - (1 if not has_late(self.schedule) else 0)

    def see_end(self, end):
        assert (end.up_bytes, end.wasted_bytes, end.client_updates) == (self.up, self.wasted, self.used)
        assert (end.refused_bytes, end.duplicate_bytes) == (self.refused, self.duplicates)
        assert end.down_bytes == self.down + end.closing_bytes
        assert end.versions == self.schedule.versions == len(self.versions)
        for name in (
            "dense_up_bytes",
            "dense_down_bytes",
            "sparse_up_bytes",
            "catch_up_bytes",
            "snapshot_bytes",
        ):
            assert getattr(end, name) == sum(getattr(turn, name) for turn in self.turns), name
        assert most_in_flight(self.turns) <= self.most()
        counts = Counter(turn.client for turn in self.turns)
        assert [turn.turn for turn in self.turns if turn.client == self.turns[0].client] == list(
            range(counts[self.turns[0].client])
        )

    def most(self):
        """The most clients at work that the schedule allows; late ones come on top of a round."""
        once = most_at_once(self.schedule) * tier_count(self.schedule)
        return once if not has_late(self.schedule) else 10**9


def has_late(schedule):
    """Whether clients may still be at work when the next round begins."""
    return schedule.kind in ("sync-deadline", "over-selection")


def most_in_flight(turns):
    """The most turns that were under way at once."""
    changes = [(turn.dispatched_at_ns, 1) for turn in turns] + [(turn.arrived_at_ns, -1) for turn in turns]
    return int(np.cumsum([change for _, change in sorted(changes)]).max())
