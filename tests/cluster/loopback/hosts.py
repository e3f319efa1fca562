"""Two hosts on loopback, each with files and processes of its own, and ``cluster.yaml`` for them."""

import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import yaml

HEAD, WORKER = "127.0.0.1", "127.0.0.2"
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
KEY = Path.home() / ".ssh" / "id_ed25519"
ASK = ["ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
START_LIMIT_S = 60


def ssh(address, command, check=True):
    """A command on a host, in a login shell as Ray's launcher has; returns what it printed."""
    done = subprocess.run(
        [*ASK, "-i", str(KEY), f"root@{address}", f"bash --login -c -i '{command}'"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not check or done.returncode == 0, f"{command} on {address}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def hosts(python):
    """Both hosts for the time of a block; whatever runs on them ends with it."""
    KEY.parent.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(KEY)], check=True)
    public = KEY.with_suffix(".pub").read_text().strip()
    isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", str(HERE / "enter.sh")]
    started = []
    try:
        for address in (HEAD, WORKER):
            with Path(f"{address}.log").open("w") as log:
                command = [*isolated, str(HERE / "host.sh"), address, public, python]
                started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        for address in (HEAD, WORKER):
            await_ssh(address)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def await_ssh(address):
    end_s = time.monotonic() + START_LIMIT_S
    while True:
        try:
            ssh(address, "true")
        except AssertionError:
            assert time.monotonic() < end_s, Path(f"{address}.log").read_text()
            time.sleep(0.5)
        else:
            return


def cluster_file(checkout):
    """``cluster.yaml`` of a checkout with the addresses, the account and the key of these hosts.

    Two nodes share one network here, so the worker has to say which address is its own.
    """
    path = checkout / "cluster.yaml"
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    tree["provider"] |= {"head_ip": HEAD, "worker_ips": [WORKER]}
    tree["auth"] |= {"ssh_user": "root", "ssh_private_key": str(KEY)}
    start = tree["worker_start_ray_commands"]
    start[-1] = start[-1].replace("ray start ", f"ray start --node-ip-address={WORKER} ")
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return path
