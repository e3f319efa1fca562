"""`fedras` in a copy of a process that has imported what it needs: ``python -m tests.workloads.forked``.

It reads commands, a line of JSON each, and answers each with its exit status. Apart from the imports, and the
seed of hashes, a command runs as under ``python -m workloads``: with its own folder, environment, streams
and end.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading

MODULES = (
    "workloads.cli",
    "workloads.running",
    "workloads.table",
    "workloads.tracking.mlflow_sink",
    "workloads.tracking.sending",
    "mlflow.store.tracking.sqlalchemy_store",
    "dashboards.report",
    "torch",
    "sklearn.cluster",
)  # in the order in which a command imports them: MLflow reads what ours set before


def server(cwd, environment):
    """The process, for `status_of`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.workloads.forked"],
        cwd=cwd,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def status_of(process, **asked):
    """The exit status of a command; `asked` is what `become` takes, and `limit_s`.

    Raises:
        TimeoutExpired: it was killed, as it took too long.
    """
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    status = int(process.stdout.readline())
    if status == -signal.SIGKILL:
        raise subprocess.TimeoutExpired(asked["arguments"], asked["limit_s"])
    return status


def become(preset, arguments, cwd, environment, out, err):
    """A process as if it were started so, its streams in files; `preset` is what modules set by default."""
    os.chdir(cwd)
    sys.path[0], sys.argv = cwd, ["fedras", *arguments]
    os.environ.clear()
    os.environ.update(preset | environment)
    for number, path, how in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        os.dup2(os.open(path, how | os.O_CREAT), number)


def main():
    before = set(os.environ)
    for name in MODULES:
        importlib.import_module(name)
    preset = {name: value for name, value in os.environ.items() if name not in before}
    gc.freeze()  # a copy that ends would look at every object that it never made
    while line := sys.stdin.readline():
        asked = json.loads(line)
        limit_s = asked.pop("limit_s")
        process = os.fork()
        if process == 0:
            become(preset, **asked)
            runpy.run_module("workloads", run_name="__main__", alter_sys=True)
            return
        late = threading.Timer(limit_s, os.kill, (process, signal.SIGKILL))
        late.start()
        _, status = os.waitpid(process, 0)
        late.cancel()
        late.join()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
