"""Runs that are killed at random moments, seeded: who, when, and what happens to the newest checkpoint."""

import json
import signal
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
from ray.cluster_utils import Cluster

from actors.connecting import naming_failure
from tests.workloads.command import fedras, settings, start

RUN = {"schedule__versions": 60, "checkpoint__every_versions": 1, "execution__shards": 4}
SCHEDULES = (
    {},
    {"schedule__kind": "buffered", "schedule__concurrency": 20, "schedule__buffer": 6},
    {"downlink__kind": "lattice", "downlink__rows": "touched", "feedback__kind": "residual"},
)
VICTIMS = ("driver", "pool", "hung pool", "coordinator", "node")
TITLES = {"pool": "ray::ClientPool", "hung pool": "ray::ClientPool", "coordinator": "ray::Coordinator"}
ON_NODES = {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}
DAMAGES = ("none", "none", "truncated", "flipped")
HUNG_S = 30  # after which a pool that says nothing is replaced
TRIES = 4  # to begin
PATIENCE_S = 600  # for a run; machines that are busy are slow
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

    @property
    def kind(self):
        """What is counted together."""
        return f"{self.victim}{', in one process' if self.serial else ''}"


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


def arguments(one, address):
    where = ["--serial"] if one.serial else ["--address", address, "--pools", 2]
    limits = {"execution__work_limit_s": HUNG_S} if one.victim == "hung pool" else {}
    restarts = ["--max-restarts", 2] if one.victim in ("coordinator", "node") else []
    return [*settings(**RUN, **SCHEDULES[one.schedule], **limits), *where, *restarts, "--no-mlflow", "--json"]


@contextmanager
def two_nodes():
    """A cluster of two nodes on this machine, each with room for all pools."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ON_NODES.items():
            patched.setenv(name, value)
        cluster = Cluster()
        try:
            with naming_failure():
                cluster.add_node(num_cpus=2, include_dashboard=False)
                second = cluster.add_node(num_cpus=2)
            yield cluster, second
        except ConnectionError as error:
            raise NotBegunError from error
        finally:
            cluster.shutdown()


def undisturbed(schedule, folder):
    """The summary of a run to which nothing happens."""
    chosen = settings(**RUN, **SCHEDULES[schedule])
    where = ["--serial", "--no-mlflow", "--json", "--out", f"whole {schedule}"]
    said = fedras("run", *chosen, *where, cwd=folder, limit_s=PATIENCE_S)
    assert said.status == 0, said.err
    return said.summary


class NotBegunError(Exception):
    """Ray did not come up, as happens on a machine that is very busy: nothing was struck yet."""


def carried_out(one, folder):
    """The summary of a run to which the scenario happened, and its records; tried again until it begins."""
    for _ in range(TRIES):
        with suppress(NotBegunError):
            return _tried(one, folder)
    raise AssertionError(f"it did not begin in {TRIES} tries: {one}")


def _tried(one, folder):
    with two_nodes() if one.victim == "node" else nullcontext((None, None)) as (cluster, second):
        return _struck(one, folder, cluster, second)


def _struck(one, folder, cluster, second):
    out = folder / f"seed {one.seed}"
    where = cluster.address if cluster else "local"
    more = ON_NODES if cluster else {}
    with start("run", *arguments(one, where), "--out", out.name, cwd=folder, **more) as process:
        try:
            _await(process, out, one.version)
            time.sleep(one.delay_s)
            if cluster:
                raylet = second.all_processes["raylet"][0].process.pid
                assert any(_actors(raylet, tuple(TITLES.values()))), one  # there is something to lose
                cluster.remove_node(second, allow_graceful=False)
            else:
                _strike(process, one.victim)
            told, err = process.communicate(timeout=PATIENCE_S)
        except BaseException:
            process.kill()
            raise
    if (out / "summary.json").exists():  # it was too late, or the run overcame it
        return json.loads((out / "summary.json").read_text()), out
    assert one.victim == "driver", (one, told, err)
    _damage(out / "checkpoints", one)
    again = ["--serial"] if one.serial else ["--address", "local"]
    again += ["--no-mlflow", "--json"]
    for _ in range(TRIES):
        said = fedras("run", "--resume", out.name, *again, cwd=folder, limit_s=PATIENCE_S)
        if "no Ray cluster at" not in said.err:
            break
    assert said.status == 0, (one, said.err)
    return said.summary, out


def _await(process, out, version):
    """Until a checkpoint of a version, or a later one, is there."""
    began_s = time.monotonic()
    while process.poll() is None and time.monotonic() - began_s < PATIENCE_S:
        found = sorted((out / "checkpoints").glob("*.checkpoint"))
        if found and int(found[-1].stem.split("-")[1]) >= version:
            return
        time.sleep(0.01)
    if process.poll() and not (out / "checkpoints").exists():
        raise NotBegunError


def _actors(root, titles):
    """The processes of actors below one."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(root).children(recursive=True):
            with suppress(psutil.Error):  # it ended just now
                if (child.cmdline() or [""])[0].startswith(titles):
                    yield child


def _strike(process, victim):
    if victim == "driver":
        process.kill()
        return
    for one in _actors(process.pid, TITLES[victim]):
        with suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGSTOP if victim == "hung pool" else signal.SIGKILL)
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
