"""What is right and what is wrong with machines, and how to mend it: nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from actors.examination import PACKAGES, Condition, Examined

LEAST_MEMORY_BYTES = 2 * 2**30  # a pool with MovieLens-1M and what Ray takes beside it
LEAST_DISK_BYTES = 5 * 2**30  # of Ray's spilled objects and logs, and a run's records
LATEST_S = 1.0  # of a clock; more confuses logs and MLflow's time axis
OLDEST_PYTHON = (3, 11)


class Finding(NamedTuple):
    """One thing that was looked at."""

    well: bool
    what: str
    remedy: str = ""  # where it is not well


def of_machine(one: Condition) -> Iterator[Finding]:
    """What a machine needs, whatever the others are like."""
    where = one.address
    version = tuple(int(part) for part in one.python.split(".")[:2])
    yield Finding(version >= OLDEST_PYTHON, f"{where}: Python {one.python}", "install Python 3.11 or 3.12")
    missing = [name for name in PACKAGES if one.packages[name] is None]
    ours = one.packages["fedras-ray"]
    yield Finding(
        not missing,
        f"{where}: {'lacks ' + ', '.join(missing) if missing else f'fedras-ray {ours} and what it needs'}",
        "run 'pip install -c constraints.txt .' there in a checkout, or send the job with --working-dir .",
    )
    yield Finding(
        one.memory_free_bytes >= LEAST_MEMORY_BYTES,
        f"{where}: {one.cores} cores, {_gib(one.memory_free_bytes)} of memory free",
        f"end other programs there, or leave the node out; {_gib(LEAST_MEMORY_BYTES)} is the least",
    )
    yield Finding(
        one.disk_free_bytes >= LEAST_DISK_BYTES,
        f"{where}: {_gib(one.disk_free_bytes)} of disk free",
        f"make room; {_gib(LEAST_DISK_BYTES)} is the least, Ray stops placing work on a full disk",
    )


def of_cluster(nodes: Sequence[Examined], here: Condition) -> Iterator[Finding]:
    """Whether all nodes are alike, and like the machine that asks."""
    for name in ("Python", *PACKAGES):
        by_version: dict[str, list[str]] = {}
        for one in [here, *(node.condition for node in nodes)]:
            found = one.python if name == "Python" else one.packages[name] or "none"
            by_version.setdefault(found, []).append(one.address)
        told = "; ".join(f"{found} on {', '.join(places)}" for found, places in by_version.items())
        yield Finding(
            len(by_version) == 1,
            f"{name} is {told}" if len(by_version) > 1 else f"{name} {told.split()[0]} everywhere",
            "install the versions of constraints.txt on every machine: results and pickles depend on them",
        )
    for node in nodes:
        off_s = max(0.0, abs(node.ahead_s) - node.known_to_s)
        told = f"{node.ahead_s:+.2f} s from ours (± {node.known_to_s:.2f} s)"
        yield Finding(
            off_s <= LATEST_S,
            f"{node.condition.address}: its clock is {told}",
            "let chrony or systemd-timesyncd set the clock there",
        )


def _gib(byte_count: int) -> str:
    return f"{byte_count / 2**30:.1f} GiB"
