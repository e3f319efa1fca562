"""`ray job submit` from a clean checkout: the same run, on a cluster that has only Python packages."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.workloads.command import ROOT, environment, settings
from tests.workloads.ports import START_LIMIT_S, await_listener, free_ports
from tests.workloads.test_mlflow import only_run

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]  # MLflow's own, while reading
SCRIPTS = ["-m", "ray.scripts.scripts"]
RAY = [sys.executable, *SCRIPTS]
JOB_LIMIT_S = 600  # of which compiling is the most, where nobody did before
NO_AGENT_YET = "No available agent"  # Ray gives its agent 10 s to come up, a busy machine takes longer


def isolated(home, python=sys.executable):
    """No import from the checkout, no token, a home folder of its own, and the machine code of everybody."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    found = environment(HOME=str(home), XDG_CACHE_HOME=cache, RAY_AUTH_MODE="disabled")
    found["PATH"] = f"{Path(python).parent}:{found['PATH']}"
    del found["PYTHONPATH"]
    return found


class Head(NamedTuple):
    """A cluster that runs."""

    dashboard: str
    address: str
    place: Path  # of its temporary files


@contextmanager
def head(home, python=sys.executable, **more):
    """A cluster of its own on loopback, with more in its environment; stops what it started.

    Never by `ray stop`, which would stop every cluster of the machine.
    """
    port, dashboard, client, agent, environments, metrics = free_ports(6)
    place = tempfile.mkdtemp(prefix="fr", dir="/tmp")  # paths of sockets are limited to 107 characters
    options = {
        "node-ip-address": "127.0.0.1",
        "port": port,
        "dashboard-host": "127.0.0.1",
        "dashboard-port": dashboard,
        "ray-client-server-port": client,
        "dashboard-agent-listen-port": agent,
        "runtime-env-agent-port": environments,
        "metrics-export-port": metrics,
        "temp-dir": place,
        "num-cpus": 2,
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(
        [python, *SCRIPTS, "start", "--head", "--block", *flags],
        env=isolated(home, python) | {"RAY_worker_niceness": "0"} | more,
        cwd=home,
        **quiet,
    )
    try:
        await_listener(dashboard, process)
        await_listener(metrics, process)  # what begins before its agent listens may never be counted
        yield Head(f"http://127.0.0.1:{dashboard}", f"127.0.0.1:{port}", Path(place))
    finally:
        end(process)
        shutil.rmtree(place, ignore_errors=True)


def submitted(command, **where):
    """`ray job submit`, again while the agent that takes jobs is not up (it took nothing then)."""
    began_s = time.monotonic()
    while True:
        done = subprocess.run(command, **where, capture_output=True, text=True, timeout=JOB_LIMIT_S)
        if NO_AGENT_YET not in done.stdout + done.stderr or time.monotonic() - began_s > START_LIMIT_S:
            return done
        time.sleep(1)


def end(process):
    """Ask the head to end, then kill what is left of its family."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)
    for one in psutil.wait_procs(family, timeout=5)[1]:
        one.kill()


def checkout(target):
    """What a clone would hold: the files that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def test_a_job_gives_the_trace_of_one_process_and_its_run_is_in_mlflow(finished, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    uri = f"sqlite:///{tmp_path}/kept/mlflow.db"
    runtime = f'{{"env_vars": {{"MLFLOW_TRACKING_URI": "{uri}"}}}}'
    job = ["python", "-m", "workloads", "run", *settings(), "--json"]
    with head(home) as cluster:
        submit = [
            "job",
            "submit",
            "--address",
            cluster.dashboard,
            "--working-dir",
            ".",
            "--runtime-env-json",
            runtime,
        ]
        here = {"cwd": checkout(tmp_path / "checkout"), "env": isolated(home)}
        done = submitted([*RAY, *submit, "--", *job], **here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert finished.said.summary["trace_digest"] in done.stdout
    client, _, run = only_run(uri)
    assert run.info.status == "FINISHED"
    assert run.data.tags["trace_digest"] == finished.said.summary["trace_digest"]
    assert run.data.tags["ray_job"].startswith("raysubmit_")
    assert {"summary.json", "report.html"} <= {one.path for one in client.list_artifacts(run.info.run_id)}
    assert list((home / "fedras" / "runs").glob("tiny-*/summary.json"))
