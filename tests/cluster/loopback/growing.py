"""What ``make test-cluster`` shows of Ray's autoscaler: a job that wishes for room gets a node, then it goes.

Started by ``run.sh``, as ``proof.py`` is.
"""

import os
import sys
import time
from pathlib import Path

import yaml

from tests.cluster.loopback.hosts import HEAD, WORKER, cluster_file, hosts, ssh
from tests.cluster.loopback.proof import RAY, TOKEN, asked, awaited, command, ended, one_process, shown
from tests.workloads.test_job import checkout

JOB = ["run", "ml-100k-fedras", "--set", "schedule.versions=2400", "--set", "evaluation.every=1200"]
IDLE_MINUTES = 0.2
LIMIT_S = 240


def elastic(path):
    """The worker only where it is asked for."""
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    tree |= {"min_workers": 0, "max_workers": 1, "idle_timeout_minutes": IDLE_MINUTES}
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")


def nodes():
    """The addresses of those that are alive."""
    try:
        listed = asked("/nodes?view=summary")["data"]["summary"]
    except OSError:
        return set()
    return {one["ip"] for one in listed if one["raylet"].get("state") == "ALIVE"}


def pools():
    """How many live on how many nodes."""
    listed = asked("/api/v0/actors?detail=True&limit=1000")["data"]["result"]["result"]
    alive = [one for one in listed if one["class_name"] == "ClientPool" and one["state"] == "ALIVE"]
    return len(alive), len({one["node_id"] for one in alive})


def submit(python, name, *arguments):
    variables = f'{{"env_vars": {{"FEDRAS_DATA": "{os.environ.get("FEDRAS_DATA", "")}"}}}}'
    options = ["--address", f"http://{HEAD}:8265", "--submission-id", name, "--working-dir", ".", "--no-wait"]
    job = ["python", "-m", "workloads", *JOB, "--no-mlflow", "--json", *arguments]
    command(
        python, RAY, "job", "submit", *options, "--runtime-env-json", variables, "--", *job, cwd="checkout"
    )


def prove(python, began_s):
    checkout(Path("checkout"))
    command(python, RAY, "get-auth-token", "--generate")
    TOKEN.chmod(0o600)
    config = cluster_file(Path("checkout"))
    elastic(config)
    command(
        python, RAY, "up", "--yes", "--no-config-cache", "--disable-usage-stats", config.name, cwd="checkout"
    )
    awaited("the head", lambda: nodes() == {HEAD})
    shown(f"ray up with min_workers: 0, and only {HEAD} is alive", began_s)
    digest = one_process(python, JOB)
    cores = os.cpu_count()
    submit(python, "grows", "--set", f"execution.grow_to={2 * cores}")
    awaited("its first pools", lambda: pools()[0] == cores)
    shown(f"a job begins with {cores} pools and wishes for {2 * cores}", began_s)
    awaited("the worker", lambda: nodes() == {HEAD, WORKER}, LIMIT_S)
    shown(f"the autoscaler starts {WORKER}", began_s)
    awaited("as many pools as were wished for", lambda: pools() == (2 * cores, 2), LIMIT_S)
    shown(f"the job goes on with {2 * cores} pools on both nodes", began_s)
    assert digest in ended("grows")
    shown(f"it ends with the digest of one process: {digest[:16]}", began_s)
    awaited("the end of the worker", lambda: nodes() == {HEAD}, LIMIT_S)
    shown("the worker idles, and the autoscaler lets it go", began_s)
    command(python, RAY, "down", "--yes", config.name, cwd="checkout")
    ssh(WORKER, ". ~/fedras/environment; ray stop")


def main():
    began_s = time.monotonic()
    os.chdir(Path.home())
    os.environ["RAY_AUTH_MODE"] = "token"
    Path("checkout").mkdir()
    with hosts(sys.argv[1]):
        shown("two hosts answer over ssh", began_s)
        prove(sys.argv[1], began_s)


if __name__ == "__main__":
    main()
