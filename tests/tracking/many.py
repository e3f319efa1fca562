"""What ``make test-tracking`` shows: four runs at once tell one MLflow server everything.

The server is a process of its own, with file artifacts; behind it is SQLite, and then a PostgreSQL
(``apt-get install postgresql``), which is made for this and gone afterwards. A run is told completely when
every version has its metrics, once, and its files and its digest are there.
"""

# ruff: noqa: T201 - what was shown is what it prints

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlflow.tracking import MlflowClient

from tests.workloads.command import settings, start
from tests.workloads.ports import free_ports
from tests.workloads.test_sending import server

JOBS, VERSIONS, EVERY, LIMIT_S = 4, 200, 20, 600
FILES = {"config.toml", "records.parquet", "users.parquet", "summary.json", "report.html"}
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextlib.contextmanager
def sqlite(folder):
    """The address of a store in a file."""
    yield f"sqlite:///{folder}/mlflow.db"


@contextlib.contextmanager
def postgresql(folder):
    """The address of a database of its own; the server that has it refuses to be root."""
    if not POSTGRES:
        sys.exit("there is no PostgreSQL: apt-get install postgresql")
    port, data = free_ports(1)[0], folder / "postgresql"
    data.mkdir()
    folder.chmod(0o755)
    as_owner = []
    if os.geteuid() == 0:
        shutil.chown(data, "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]
    quiet = {"check": True, "cwd": data, "stdout": subprocess.DEVNULL}
    subprocess.run([*as_owner, POSTGRES[-1] / "initdb", "-D", data, "-A", "trust", "-U", "mlflow"], **quiet)
    options = f"-h 127.0.0.1 -p {port} -k {data}"
    control = [*as_owner, POSTGRES[-1] / "pg_ctl", "-D", data, "-w"]
    subprocess.run([*control, "-l", data / "log", "-o", options, "start"], **quiet)
    try:
        yield f"postgresql://mlflow@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], **quiet)


def told(client, run, folder):
    """What is missing, or there twice, of a run in the store."""
    summary = json.loads((folder / "summary.json").read_text())
    expected = {
        "bytes/total_megabytes": list(range(1, VERSIONS + 1)),
        "quality/ndcg_10": list(range(0, VERSIONS + 1, EVERY)),
    }
    wrong = []
    for name, steps in expected.items():
        found = [point.step for point in client.get_metric_history(run.info.run_id, name)]
        wrong += [] if found == steps else [f"{name} has {len(found)} steps of {len(steps)}"]
    files = {one.path for one in client.list_artifacts(run.info.run_id)}
    wrong += [] if files >= FILES else [f"{FILES - files} are missing"]
    same = run.data.tags["trace_digest"] == summary["trace_digest"]
    return wrong + ([] if same else ["it has the digest of another run"])


def at_once(store, folder):
    """Four runs; every problem with what the store has of them, and how long all took."""
    changes = settings(schedule__versions=VERSIONS, evaluation__every=EVERY)
    began_s = time.monotonic()
    with server(folder, free_ports(1)[0], store, "--workers", "4") as uri:
        runs = [
            start("run", *changes, "--set", f"seed={seed}", "--serial", "--out", f"s{seed}", cwd=folder,
                  MLFLOW_TRACKING_URI=uri)
            for seed in range(1, JOBS + 1)
        ]  # fmt: skip
        problems = []
        for seed, process in enumerate(runs, 1):
            _, said = process.communicate(timeout=LIMIT_S)
            if process.returncode or "locked" in said or "pending" in said:
                problems.append(f"seed {seed} ended with {process.returncode}: {said[-2000:]}")
        client = MlflowClient(tracking_uri=uri)
        found = client.search_runs([client.get_experiment_by_name("fedras").experiment_id])
        if sorted(run.info.status for run in found) != ["FINISHED"] * JOBS:
            problems.append(f"the store has {[run.info.status for run in found]}")
        for run in found:
            seed = run.data.params["seed"]
            problems += [f"seed {seed}: {one}" for one in told(client, run, folder / f"s{seed}")]
    log = (folder / "log").read_text()
    problems += ["the server says that its database was locked"] if "database is locked" in log else []
    return problems, time.monotonic() - began_s


def main():
    failed = False
    for behind in (sqlite, postgresql):
        with tempfile.TemporaryDirectory() as name, behind(Path(name)) as store:
            problems, took_s = at_once(store, Path(name))
        verdict = "; ".join(problems) or f"nothing is missing of {JOBS} × {VERSIONS} versions"
        print(f"{took_s:6.1f} s  {behind.__name__}: {verdict}", flush=True)
        failed |= bool(problems)
    sys.exit(failed)


if __name__ == "__main__":
    main()
