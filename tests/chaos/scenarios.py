"""Runs that are killed at random moments, seeded: who, when, and what happens to the newest checkpoint."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from tests.workloads.command import LIMIT_S, fedras, settings, start

RUN = {"schedule__versions": 60, "checkpoint__every_versions": 1, "execution__shards": 4}
SCHEDULES = (
    {},
    {"schedule__kind": "buffered", "schedule__concurrency": 20, "schedule__buffer": 6},
    {"downlink__kind": "lattice", "downlink__rows": "touched", "feedback__kind": "residual"},
)
VICTIMS = ("driver", "pool", "coordinator")
DAMAGES = ("none", "none", "truncated", "flipped")
COUNTED = ("trace_digest", "quality", "bytes", "client_updates")


@dataclass(frozen=True)
class Scenario:
    """What is done to one run."""

    seed: int
    serial: bool
    victim: str
    schedule: int  # of `SCHEDULES`
    version: int  # that is kept before the kill
    delay_s: float  # and how long after that
    damage: str  # to the newest checkpoint


def scenario(seed, serial=None):
    """The scenario of a seed."""
    rng = np.random.default_rng(seed)
    alone = bool(rng.random() < 0.5) if serial is None else serial
    return Scenario(
        seed,
        alone,
        "driver" if alone else VICTIMS[int(rng.integers(len(VICTIMS)))],
        int(rng.integers(len(SCHEDULES))),
        int(rng.integers(1, 40)),
        float(rng.uniform(0, 0.3)),
        DAMAGES[int(rng.integers(len(DAMAGES)))],
    )


def arguments(one):
    where = ["--serial"] if one.serial else ["--address", "local", "--pools", 2]
    return [*settings(**RUN, **SCHEDULES[one.schedule]), *where]


def undisturbed(schedule, folder):
    """The summary of a run to which nothing happens."""
    chosen = settings(**RUN, **SCHEDULES[schedule])
    said = fedras(
        "run", *chosen, "--serial", "--no-mlflow", "--json", "--out", f"whole {schedule}", cwd=folder
    )
    assert said.status == 0, said.err
    return said.summary


def carried_out(one, folder):
    """The summary of a run to which the scenario happened, and its records."""
    out = folder / f"seed {one.seed}"
    patience = ["--max-restarts", 2] if one.victim == "coordinator" else []
    begun = start("run", *arguments(one), "--no-mlflow", "--json", "--out", out.name, *patience, cwd=folder)
    with begun as process:
        _await(process, out, one.version)
        time.sleep(one.delay_s)
        _kill(process, one.victim)
        try:
            told, err = process.communicate(timeout=LIMIT_S)
        except BaseException:
            process.kill()
            raise
    if (out / "summary.json").exists():  # it was too late, or the run overcame it
        return json.loads((out / "summary.json").read_text()), out
    assert one.victim == "driver", (one, told, err)
    _damage(out / "checkpoints", one)
    where = ["--serial"] if one.serial else ["--address", "local"]
    said = fedras("run", "--resume", out.name, *where, "--no-mlflow", "--json", cwd=folder)
    assert said.status == 0, (one, said.err)
    return said.summary, out


def _await(process, out, version):
    """Until a checkpoint of a version, or a later one, is there."""
    began_s = time.monotonic()
    while process.poll() is None and time.monotonic() - began_s < LIMIT_S:
        found = sorted((out / "checkpoints").glob("*.checkpoint"))
        if found and int(found[-1].stem.split("-")[1]) >= version:
            return
        time.sleep(0.01)


def _kill(process, victim):
    if victim == "driver":
        process.kill()
        return
    title = {"pool": "ray::ClientPool", "coordinator": "ray::Coordinator"}[victim]
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if (child.cmdline() or [""])[0].startswith(title):
                    child.kill()
                    return


def _damage(folder: Path, one):
    newest = max(folder.glob("*.checkpoint"), default=None)
    if newest is None or one.damage == "none":
        return
    rng, blob = np.random.default_rng(one.seed), bytearray(newest.read_bytes())
    if one.damage == "truncated":
        del blob[int(rng.integers(len(blob))) :]
    else:
        for place in rng.integers(len(blob), size=int(rng.integers(1, 4))).tolist():
            blob[place] ^= 1 << int(rng.integers(8))
    newest.write_bytes(blob)
