"""How the quality of a run grew: its evaluations, in the order of their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dashboards.recorded import NANOS, Floats, floats, rows, whole

COLUMNS = ("version", "at_ns", "up_bytes", "down_bytes")


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """E evaluations of one run; bytes are totals since its start."""

    version: NDArray[np.int64]  # (E,) ascending
    at_s: Floats  # (E,)
    up_bytes: Floats  # (E,)
    down_bytes: Floats  # (E,)
    quality: Mapping[str, Floats]  # each (E,), NaN where not measured

    @property
    def sent_bytes(self) -> Floats:
        """(E,) both ways."""
        return self.up_bytes + self.down_bytes

    def of(self, metric: str) -> Curve:
        """The evaluations that measured this metric; none where the run never did."""
        values = self.quality.get(metric, np.full(len(self.version), np.nan))
        known = np.isfinite(values)
        columns = (self.at_s[known], self.up_bytes[known], self.down_bytes[known])
        return Curve(self.version[known], *columns, {metric: values[known]})


def read(path: Path) -> Curve:
    """The evaluations in a ``records.parquet``.

    Raises:
        RunError: it is missing, is no Parquet file, or lacks a column; the message names it.
    """
    found = rows(path, "evaluation", COLUMNS, metrics=True).sort_by("version")
    return Curve(
        version=whole(found["version"]),
        at_s=floats(found["at_ns"]) / NANOS,
        up_bytes=floats(found["up_bytes"]),
        down_bytes=floats(found["down_bytes"]),
        quality={name: floats(found[name]) for name in found.column_names if "@" in name},
    )
