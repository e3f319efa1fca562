"""`fedras` as a user starts it: a process with its own streams and exit status."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SMALL = {
    "name": "tiny",
    "data.kind": "synthetic",
    "data.users": 120,
    "data.items": 150,
    "data.mean_interactions": 12,
    "model.width": 8,
    "evaluation.every": 2,
    "execution.shards": 3,
    "schedule.versions": 4,
    "schedule.clients_per_version": 20,
}
LIMIT_S = 400
NOT_INHERITED = ("MLFLOW_", "RAY_", "COLUMNS", "FORCE_COLOR")


@dataclass(frozen=True)
class Said:
    """What a finished command said."""

    status: int
    out: str
    err: str

    @property
    def summary(self):
        return json.loads(self.out.splitlines()[-1])


def settings(**changes):
    """``--set`` arguments: the small experiment with changes; a dot is written as two underscores."""
    tree = SMALL | {key.replace("__", "."): value for key, value in changes.items()}
    return [part for key, value in tree.items() for part in ("--set", f"{key}={value}")]


def environment(**more):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(NOT_INHERITED)}
    return inherited | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"} | more


def start(*arguments, cwd, **more):
    """`fedras` as a process; Ctrl-C reaches it even where pytest itself was told to ignore it."""
    return subprocess.Popen(
        [sys.executable, "-m", "workloads", *map(str, arguments)],
        cwd=cwd,
        env=environment(**more),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def fedras(*arguments, cwd, limit_s=LIMIT_S, **more):
    """`fedras` to its end."""
    with start(*arguments, cwd=cwd, **more) as process:
        try:
            out, err = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Said(process.returncode, out, err)
