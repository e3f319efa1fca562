"""One command, measured from outside: its whole process family, whatever platform it is.

Members are known by a mark in their environment, so that daemons that Ray leaves behind count too. CPU is
user and system time of all members; memory is PSS (shared pages counted once), sampled twice a second. A
platform says ``… round R: N clients …`` for every aggregated round; rates are between the last warm-up
round and the last one.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MARK = "PEERS_MARK"
ROUND = re.compile(r"round (\d+): (\d+) clients.*loss ([\d.]+)")
EVERY_S = 0.5
LAST_WORDS = 12  # lines that are told of a command that failed


@dataclass(slots=True)
class Family:
    """The processes that carry a mark."""

    mark: str
    cpu_s: dict[tuple[int, float], float] = field(default_factory=dict)  # of the dead ones, too
    peak_pss_bytes: int = 0
    _known: dict[tuple[int, float], bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cpu_now_s(self) -> float:
        """User and system time of all members so far."""
        with self._lock:
            for key, process in self._members():
                self._look(key, process)
            return sum(self.cpu_s.values())

    def sample(self) -> None:
        """Take CPU and memory of everyone."""
        with self._lock:
            pss = 0
            for key, process in self._members():
                self._look(key, process)
                try:
                    pss += process.memory_full_info().pss
                except (psutil.Error, OSError):
                    continue  # it has just ended
            self.peak_pss_bytes = max(self.peak_pss_bytes, pss)

    def end(self) -> None:
        """End whoever is left."""
        for _, process in self._members():
            try:
                process.kill()
            except psutil.Error:
                continue

    def _look(self, key: tuple[int, float], process: psutil.Process) -> None:
        try:
            times = process.cpu_times()
        except psutil.Error:
            return
        self.cpu_s[key] = times.user + times.system

    def _members(self) -> list[tuple[tuple[int, float], psutil.Process]]:
        found = []
        for process in psutil.process_iter():
            try:
                key = (process.pid, process.create_time())
                if key not in self._known:
                    self._known[key] = process.environ().get(MARK) == self.mark
            except (psutil.Error, OSError):
                continue
            if self._known[key]:
                found.append((key, process))
        return found


@dataclass(frozen=True, slots=True)
class Round:
    """An aggregated round, at the moment at which it was told."""

    number: int
    clients: int
    loss: float
    at_s: float
    family_cpu_s: float
    machine_cpu_s: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run comes to."""

    updates_per_s: float
    cpu_ms_per_update: float
    peak_pss_mb: float
    first_aggregate_s: float  # from launch
    losses: dict[int, float]  # after so many rounds
    others_cores: float  # that the rest of the machine kept busy meanwhile


def measure(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    rounds: int,
    warm_up: int,
    limit_s: float,
) -> Measured | str:
    """Run a command to its last round; a text says why there is nothing to tell."""
    family = Family(uuid.uuid4().hex)
    began_s = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment, MARK: family.mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told: list[Round] = []
    words: list[str] = []
    heard = (process, family, told, words, warm_up, rounds)
    reader = threading.Thread(target=_listen, args=heard, daemon=True)
    reader.start()
    while process.poll() is None and len(told) < rounds and time.monotonic() - began_s < limit_s:
        family.sample()
        time.sleep(EVERY_S)
    family.sample()
    late = time.monotonic() - began_s >= limit_s
    family.end()
    process.wait()
    reader.join(5)
    if len(told) < rounds:
        why = f"not done within {limit_s:g} s" if late else f"ended with {process.returncode}"
        return "\n".join([why, *words[-LAST_WORDS:]])
    return _summary(told, began_s, warm_up, family.peak_pss_bytes)


def _listen(
    process: subprocess.Popen[str],
    family: Family,
    told: list[Round],
    words: list[str],
    warm_up: int,
    rounds: int,
) -> None:
    """Read what a platform says; CPU is looked at where a rate begins or ends, as looking costs something."""
    for line in process.stdout or ():
        words.append(line.rstrip())
        if found := ROUND.search(line):
            ends = len(told) + 1 in (warm_up, rounds)
            machine = psutil.cpu_times()
            told.append(
                Round(
                    int(found[1]),
                    int(found[2]),
                    float(found[3]),
                    time.monotonic(),
                    family.cpu_now_s() if ends else 0.0,
                    machine.user + machine.system + machine.nice,
                )
            )


def _summary(told: list[Round], began_s: float, warm_up: int, peak_pss_bytes: int) -> Measured:
    first, last = told[warm_up - 1], told[-1]
    updates = sum(one.clients for one in told[warm_up:])
    wall_s, cpu_s = last.at_s - first.at_s, last.family_cpu_s - first.family_cpu_s
    return Measured(
        updates / wall_s,
        1e3 * cpu_s / updates,
        peak_pss_bytes / 2**20,
        told[0].at_s - began_s,
        {number + 1: one.loss for number, one in enumerate(told)},
        max(0.0, (last.machine_cpu_s - first.machine_cpu_s - cpu_s) / wall_s),
    )
