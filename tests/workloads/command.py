"""`fedras` as a user starts it: a process with its own streams and exit status."""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.workloads import forked

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
READ_EARLY = ("PYTHON", "RAY_", "COLUMNS")  # by the interpreter, or while modules are imported
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
    if any(name.startswith(READ_EARLY) for name in more):
        return _executed(arguments, cwd, limit_s, more)
    with tempfile.TemporaryDirectory() as name:
        out, err = Path(name) / "out", Path(name) / "err"
        status = forked.status_of(
            _server(),
            arguments=list(map(str, arguments)),
            cwd=str(cwd),
            environment=environment(**more),
            out=str(out),
            err=str(err),
            limit_s=limit_s,
        )
        return Said(status, out.read_text(), err.read_text())


def _executed(arguments, cwd, limit_s, more):
    with start(*arguments, cwd=cwd, **more) as process:
        try:
            out, err = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Said(process.returncode, out, err)


@functools.cache
def _server():
    """For all commands of these tests."""
    process = forked.server(ROOT, environment())
    atexit.register(process.communicate)  # it ends with its input
    return process
