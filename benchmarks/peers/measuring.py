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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.family import Family, marked

MARK = "PEERS_MARK"
ROUND = re.compile(r"round (\d+): (\d+) clients.*loss ([\d.]+)")
EVERY_S = 0.5
LAST_WORDS = 12  # lines that are told of a command that failed


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
    mark = uuid.uuid4().hex
    family = Family(marked(MARK, mark))
    began_s = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment, MARK: mark},
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
    _end(family)
    process.wait()
    reader.join(5)
    if len(told) < rounds:
        why = f"not done within {limit_s:g} s" if late else f"ended with {process.returncode}"
        return "\n".join([why, *words[-LAST_WORDS:]])
    return _summary(told, began_s, warm_up, family.peak_pss_bytes)


def _end(family: Family) -> None:
    """End whoever is left."""
    for process in family.members():
        with suppress(psutil.Error):
            process.kill()


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
                    family.cpu_s() if ends else 0.0,
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
