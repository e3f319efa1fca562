"""Readings of the instruments, added up from stretches of records column by column, never turn by turn.

n: turns of a stretch. C: device classes that have a name of their own, and one for all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fedras_ray.clock import seconds
from fedras_ray.config import Experiment
from fedras_ray.records import EndRecord, EvaluationRecord, Fate, Record, VersionRecord
from fedras_ray.stretches import DEVICE_CLASS, FATE, FIELDS, Stretch, Table
from fedras_ray.telemetry import instruments as at
from fedras_ray.telemetry.instruments import Instrument

Labels: TypeAlias = tuple[str, ...]  # values, in the order of the instrument's labels
Readings: TypeAlias = dict[tuple[Instrument, Labels], float]
Whole: TypeAlias = NDArray[np.int64]

_PLACE = {name: place for place, name in enumerate(FIELDS)}
_TIMES = ("dispatched_at_ns", "started_at_ns", "trained_at_ns", "arrived_at_ns")
_FATES = tuple(fate.name.lower() for fate in Fate)
_BOUNDS = np.array(at.STALENESS_BOUNDS)
_BUCKETS = (*map(str, at.STALENESS_BOUNDS), "+Inf")


class Tally:
    """Counts since they were last taken, and the gauges as they stand.

    Args:
        experiment: what is run.
        goes_on: from a checkpoint, so that virtual time passes from the first record that is heard.
    """

    def __init__(self, experiment: Experiment, goes_on: bool = False) -> None:
        self._codecs = {"up": str(experiment.codec.kind), "down": str(experiment.downlink.kind)}
        self._versions = experiment.schedule.versions
        self._at_ns = None if goes_on else 0  # of the latest record; None: not known yet
        self._counts: Readings = {}
        self.gauges: Readings = {}

    def hear(self, stretches: Sequence[Stretch]) -> None:
        """Add some more records, of one run; many stretches at once cost hardly more than one."""
        tables = [one.table() for one in stretches if one.turns]
        if tables:
            self._hear_turns(np.concatenate(tables), _named(stretches[0].class_names))
        self._hear_others([record for one in stretches for _, record in one.others])

    def count(self, instrument: Instrument, value: float, *labels: str) -> None:
        """Add to one series; a zero makes none."""
        if value:
            series = instrument, labels
            self._counts[series] = self._counts.get(series, 0) + value

    def take(self) -> Readings:
        """The counts since the last call: all above 0."""
        taken, self._counts = self._counts, {}
        return taken

    def _hear_turns(self, turns: Table, names: Sequence[str]) -> None:
        group = np.minimum(turns[:, DEVICE_CLASS], at.MOST_CLASSES)  # (n,)
        fate = turns[:, FATE]
        for place, often in enumerate(np.bincount(group * len(Fate) + fate).tolist()):
            self.count(at.TURNS, often, names[place // len(Fate)], _FATES[place % len(Fate)])
        for way, codec in self._codecs.items():
            sent, dense = _column(turns, f"{way}_bytes"), _column(turns, f"dense_{way}_bytes")
            for name, total in zip(names, _sums(group, sent, len(names)), strict=True):
                self.count(at.SENT, total, way, name, codec)
            self.count(at.DENSE, int(dense.sum()), way)
        wasted = np.where(fate == Fate.USED, _column(turns, "duplicate_bytes"), _column(turns, "up_bytes"))
        for name, total in zip(names, _sums(group, wasted, len(names)), strict=True):
            self.count(at.WASTED, total, name)
        times = [_column(turns, name) for name in _TIMES]
        for phase, begins, ends in zip(at.PHASES, times, times[1:], strict=False):
            for name, total in zip(names, _sums(group, ends - begins, len(names)), strict=True):
                self.count(at.PHASE, total / 1e9, name, phase)
        self._hear_ages(_column(turns, "staleness")[fate == Fate.USED])

    def _hear_ages(self, ages: Whole) -> None:
        """Of used updates; each bucket holds all below it, as Prometheus has them."""
        bins = np.bincount(np.searchsorted(_BOUNDS, ages), minlength=len(_BUCKETS))
        for bucket, often in zip(_BUCKETS, bins.cumsum().tolist(), strict=True):
            self.count(at.STALENESS, often, bucket)
        self.count(at.STALENESS_SUM, int(ages.sum()))

    def _hear_others(self, records: Sequence[Record]) -> None:
        """Without rounds there are as many versions as turns: only the newest of a kind is looked at."""
        for kind in (VersionRecord, EvaluationRecord, EndRecord):
            newest = next((one for one in reversed(records) if isinstance(one, kind)), None)
            if isinstance(newest, VersionRecord):
                self._version(newest, sum(isinstance(one, VersionRecord) for one in records))
            elif isinstance(newest, EvaluationRecord):
                self._pass(newest.at_ns)
                for metric, value in newest.quality:
                    self.gauges[at.QUALITY, (metric,)] = value
            elif isinstance(newest, EndRecord):
                self.count(at.SENT, newest.closing_bytes, "down", at.EVERYONE, self._codecs["down"])

    def _version(self, record: VersionRecord, made: int) -> None:
        self._pass(record.at_ns)
        self.count(at.VERSIONS, made)
        self.gauges |= {
            (at.IN_FLIGHT, ()): record.in_flight,
            (at.PROGRESS, ()): record.version / self._versions,
            (at.LOSS, ()): record.train_loss,
            (at.STATE, ()): record.downlink_state_bytes,
        }

    def _pass(self, at_ns: int) -> None:
        since_ns = at_ns if self._at_ns is None else self._at_ns
        self._at_ns = max(at_ns, since_ns)
        self.count(at.VIRTUAL, seconds(self._at_ns - since_ns))


def _named(class_names: Sequence[str]) -> list[str]:
    names = list(class_names[: at.MOST_CLASSES])
    return [*names, at.OTHER] if len(class_names) > at.MOST_CLASSES else names


def _column(turns: Table, name: str) -> Whole:
    return turns[:, _PLACE[name]]


def _sums(group: Whole, column: Whole, groups: int) -> list[int]:
    """(C,) of each group; whole numbers, exactly."""
    sums = np.zeros(groups, dtype=np.int64)
    np.add.at(sums, group, column)
    return [int(one) for one in sums]
