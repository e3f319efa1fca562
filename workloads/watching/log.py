"""``progress.jsonl``: how a run gets on, a line at a time, to be read while it is written.

`records.parquet` can be read once it is whole. This is small: of versions a line a second, then one in five
seconds, and every evaluation.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from fedras_ray.config import Experiment
from fedras_ray.errors import RunError
from fedras_ray.records import EvaluationRecord, Record, VersionRecord
from workloads.run_directory import CONFIG, writing
from workloads.sinks import Ending

FILE = "progress.jsonl"
SOON_S, LATER_S = 1.0, 5.0  # between two lines about versions: at first, and
HOUR_S = 3600.0  # after so long
KEPT = (
    "version", "at_ns", "client_updates", "up_bytes", "down_bytes", "dense_up_bytes", "dense_down_bytes",
    "wasted_bytes", "mean_staleness", "train_loss", "in_flight",
)  # fmt: skip


class ProgressLog:
    """A sink that writes the file; a run that goes on begins it anew, as it tells everything again.

    The file of before is gone at once: it ends with how the run was stopped, which is true no longer.
    """

    def __init__(self, directory: Path, experiment: Experiment) -> None:
        self.path = directory / FILE
        with writing(self.path):
            self.path.unlink(missing_ok=True)
        self._experiment = experiment
        self._file: TextIO | None = None
        self._began_s = self._wrote_s = time.monotonic()
        self._latest: VersionRecord | None = None  # and not written yet

    def take(self, record: Record) -> None:
        """See `Sink.take`."""
        if isinstance(record, VersionRecord):
            self._latest = record
            now_s = time.monotonic()
            if now_s - self._wrote_s >= (SOON_S if now_s - self._began_s < HOUR_S else LATER_S):
                self._wrote_s = now_s
                self._write_version()
        elif isinstance(record, EvaluationRecord):
            found = {"version": record.version, "at_ns": record.at_ns, "quality": dict(record.quality)}
            self._write("evaluation", found | {"up_bytes": record.up_bytes, "down_bytes": record.down_bytes})

    def close(self, ending: Ending) -> None:
        """The last version, and how it ended."""
        self._write_version()
        self._write("end", {"ending": ending.value})
        if self._file is not None:
            self._file.close()

    def _write_version(self) -> None:
        if self._latest is not None:
            self._write("version", {name: getattr(self._latest, name) for name in KEPT})
            self._latest = None

    def _write(self, kind: str, found: dict[str, Any]) -> None:
        with writing(self.path):
            if self._file is None:
                self._file = self.path.open("w", encoding="utf-8")
                schedule = self._experiment.schedule
                self._line("begin", {"name": self._experiment.name, "seed": self._experiment.seed,
                                     "versions": schedule.versions})  # fmt: skip
            self._line(kind, found)
            self._file.flush()

    def _line(self, kind: str, found: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps({"kind": kind, "wall_s": time.time(), **found}) + "\n")


@dataclass(slots=True)
class Progress:
    """What the file says so far; each line as it is."""

    name: str
    seed: int
    asked: int  # versions
    began_s: float  # since the epoch
    versions: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    ending: str | None = None
    heard_s: float = 0.0  # when the newest line was written


def read_progress(directory: Path) -> Progress | None:
    """What a run has told so far; None: nothing yet. A line that is being written is not read.

    Raises:
        RunError: there is no run, or the file is not what a run writes.
    """
    if not (directory / CONFIG).exists():
        raise RunError(f"{directory} holds no run: there is no config.toml in it")
    path = directory / FILE
    try:
        lines = [json.loads(line) for line in _whole(path)]
        return _gathered(lines) if lines else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is not what a run writes: {error!r}") from error


def _whole(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield line


def _gathered(lines: list[dict[str, Any]]) -> Progress:
    begin = lines[0]
    found = Progress(str(begin["name"]), int(begin["seed"]), int(begin["versions"]), float(begin["wall_s"]))
    for line in lines[1:]:
        if line["kind"] == "version":
            found.versions.append(line)
        elif line["kind"] == "evaluation":
            found.evaluations.append(line)
        else:
            found.ending = str(line["ending"])
    found.heard_s = float(lines[-1]["wall_s"])
    return found
