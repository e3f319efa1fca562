"""What ``make test-cluster`` shows, step by step; the first that fails ends it with status 1.

Started by ``run.sh`` inside namespaces of its own: here are `ray up`, `ray down` and `ray stop` harmless.
"""

# ruff: noqa: T201 - what was shown is what it prints

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.loopback.hosts import HEAD, WORKER, cluster_file, hosts, ssh
from tests.workloads.test_job import checkout

DASHBOARD = f"http://{HEAD}:8265"
STORE = "http://127.0.0.1:5000"
RAY = "ray.scripts.scripts"
TOKEN = Path.home() / ".ray" / "auth_token"
EXPERIMENT = ["run", "ml-100k-fedras", "--set", "schedule.versions=12", "--set", "evaluation.every=6"]
LONG = ["run", "ml-100k-fedras", "--set", "schedule.versions=400", "--set", "evaluation.every=200"]
KEPT = Path.home() / "kept"  # results that outlive a job's own folder
LIMIT_S = 400
LOOPBACK = r"127\.|\[::1\]|\[::ffff:127\."
OURS = ("8265", "5000", "22")  # dashboard with job server, tracking server, ssh


def shown(what, began_s):
    print(f"{time.monotonic() - began_s:6.1f} s  {what}", flush=True)


def command(python, *arguments, cwd=None, check=True, **environment):
    """A command of Ray, or of this project, on this desk; what it printed, both streams."""
    done = subprocess.run(
        [python, "-m", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
    )
    assert not check or done.returncode == 0, f"{arguments}: {done.stdout[-6000:]}"
    return done.stdout


def asked(path, token=None):
    """JSON from the dashboard."""
    request = urllib.request.Request(f"{DASHBOARD}{path}")
    request.add_header("Authorization", f"Bearer {token or TOKEN.read_text().strip()}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def awaited(what, find, limit_s=LIMIT_S):
    """What `find` gives once that is something."""
    end_s = time.monotonic() + limit_s
    while not (found := find()):
        assert time.monotonic() < end_s, f"not within {limit_s} s: {what}"
        time.sleep(1)
    return found


def alive():
    try:
        nodes = asked("/nodes?view=summary")["data"]["summary"]
    except OSError:
        return None
    living = {node["ip"]: node["raylet"] for node in nodes if node["raylet"].get("state") == "ALIVE"}
    return living if set(living) == {HEAD, WORKER} else None


@contextmanager
def store(python):
    """A tracking server of its own process, SQLite and file artifacts behind it; slow to start."""
    Path("mlflow").mkdir()
    place = [
        "--backend-store-uri",
        "sqlite:///mlflow/mlflow.db",
        "--artifacts-destination",
        "mlflow/artifacts",
    ]
    server = [
        python,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        "5000",
        "--workers",
        "1",
        *place,
    ]
    quiet = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with Path("mlflow.log").open("w") as log:
        process = subprocess.Popen(server, stdout=log, stderr=subprocess.STDOUT, env=quiet)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except OSError:
        return False


def submit(python, name, *arguments, wait=True):
    """A job from the current checkout; what its log says."""
    variables = {"MLFLOW_TRACKING_URI": STORE, "FEDRAS_DATA": os.environ.get("FEDRAS_DATA", "")}
    runtime = ["--runtime-env-json", json.dumps({"env_vars": variables})]
    options = ["--address", DASHBOARD, "--submission-id", name, "--working-dir", ".", *runtime]
    job = ["python", "-m", "workloads", *arguments]
    waiting = [] if wait else ["--no-wait"]
    return command(python, RAY, "job", "submit", *options, *waiting, "--", *job, cwd="checkout")


def runs():
    """By the job they belong to: status, tags and names of artifacts of the runs in the store."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=STORE)
    found = client.search_runs([one.experiment_id for one in client.search_experiments()])
    return {
        run.data.tags.get("ray_job"): (run.info.status, run.data.tags, artifacts(client, run.info.run_id))
        for run in found
    }


def artifacts(client, run_id):
    return {one.path for one in client.list_artifacts(run_id)}


def pools():
    """The nodes that had pools, by the state API."""
    listed = asked("/api/v0/actors?detail=True&limit=1000")["data"]["result"]["result"]
    return {actor["node_id"] for actor in listed if actor["class_name"] == "ClientPool"}


def refused(python, **environment):
    said = command(python, RAY, "job", "list", "--address", DASHBOARD, check=False, **environment)
    return "Unauthorized" in said or "authentication" in said.lower()


def listeners():
    """Who listens beyond loopback: address and process."""
    lines = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    found = [(line.split()[3], "".join(re.findall(r'users:\(\("([^"]+)', line))) for line in lines]
    return sorted((place, who) for place, who in found if not re.match(LOOPBACK, place))


def ray_processes(address):
    """Command lines of Ray's processes on a host."""
    found = ssh(address, 'ps -eo args | grep -E "raylet|gcs_server|ray::|/ray/dashboard" || true')
    return [line for line in found.splitlines() if "grep" not in line]


def one_process(python, what):
    """The digest of an experiment without Ray."""
    said = command(python, "workloads", *what, "--serial", "--no-mlflow", "--json", cwd="checkout")
    return json.loads(said.splitlines()[-1])["trace_digest"]


def under_way(python, name, *arguments):
    """Submit a job, and wait until its first versions are made."""
    submit(python, name, *LONG, "--pools", "2", "--json", *arguments, wait=False)
    awaited(f"versions of the {name} job", lambda: "version " in asked(f"/api/jobs/{name}/logs")["logs"])


def ended(name):
    """What a job printed, once it has ended well."""

    def over():
        status = asked(f"/api/jobs/{name}")["status"]
        return status if status in ("SUCCEEDED", "FAILED", "STOPPED") else None

    status, logs = awaited(f"the end of the {name} job", over), asked(f"/api/jobs/{name}/logs")["logs"]
    assert status == "SUCCEEDED", logs[-6000:]
    return logs


def stopped_and_resumed(python, digest, began_s):
    under_way(python, "second", "--out", KEPT)
    command(python, RAY, "job", "stop", "--address", DASHBOARD, "second")
    assert asked("/api/jobs/second")["status"] == "STOPPED"
    assert awaited("the end of its run", lambda: runs()["second"][0] != "RUNNING", 60)
    assert runs()["second"][0] == "KILLED"
    shown("a job that is stopped leaves a KILLED run", began_s)
    said = submit(python, "again", "run", "--resume", KEPT, "--json")
    assert re.search(r"going on after version [1-9]", said), said[-6000:]
    assert digest in said, said[-6000:]
    status, tags, _ = runs()["second"]
    assert (status, tags["trace_digest"]) == ("FINISHED", digest)
    shown(f"another job resumes it, and its MLflow run, to the digest of one process: {digest[:16]}", began_s)


def without_a_node(python, digest, began_s):
    under_way(python, "third")
    ssh(WORKER, "pkill -9 raylet")
    assert digest in ended("third")
    assert runs()["third"][0] == "FINISHED"
    shown("the worker's raylet is killed, and the job ends with the same digest", began_s)


def prove(python, began_s):
    checkout(Path("checkout"))
    command(python, RAY, "get-auth-token", "--generate")
    TOKEN.chmod(0o600)
    config = cluster_file(Path("checkout")).name
    command(python, RAY, "up", "--yes", "--no-config-cache", "--disable-usage-stats", config, cwd="checkout")
    shown("ray up cluster.yaml", began_s)
    awaited("two nodes", alive)
    shown(f"two nodes are alive: {HEAD} and {WORKER}", began_s)

    wide = listeners()
    print("          beyond loopback:", ", ".join(f"{place} {who}" for place, who in wide) or "nobody")
    assert not [place for place, _ in wide if place.rpartition(":")[2] in OURS], wide
    shown("dashboard, job server, tracking server and ssh listen on loopback only", began_s)

    assert refused(python, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="not-the-token-" + "0" * 30)
    assert refused(python, RAY_AUTH_MODE="disabled")
    shown("a wrong token is refused, and none as well", began_s)

    digest, long_digest = (one_process(python, what) for what in (EXPERIMENT, LONG))
    awaited("the tracking server", lambda: answers(f"{STORE}/health"))
    said = submit(python, "first", *EXPERIMENT, "--pools", "2", "--json")
    assert digest in said, said[-6000:]
    shown(f"a job has the digest of one process: {digest[:16]}", began_s)
    assert len(pools()) == 2
    shown("its pools were on both nodes", began_s)
    status, tags, files = runs()["first"]
    assert (status, tags["trace_digest"]) == ("FINISHED", digest)
    assert {"summary.json", "report.html", "records.parquet", "config.toml"} <= files
    shown("its run is in MLflow, with its artifacts", began_s)

    stopped_and_resumed(python, long_digest, began_s)
    without_a_node(python, long_digest, began_s)

    command(python, RAY, "down", "--yes", config, cwd="checkout")
    ssh(WORKER, ". ~/fedras/environment; ray stop")  # as cluster.yaml says at its end
    awaited("the end of all of Ray", lambda: not (ray_processes(HEAD) or ray_processes(WORKER)), 60)
    shown("ray down, and nothing is left running", began_s)


def main():
    began_s = time.monotonic()
    python = sys.argv[1]
    os.chdir(Path.home())
    os.environ["RAY_AUTH_MODE"] = "token"
    Path("checkout").mkdir()
    with hosts(python):
        shown("two hosts answer over ssh", began_s)
        with store(python):
            prove(python, began_s)


if __name__ == "__main__":
    main()
