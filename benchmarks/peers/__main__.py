"""The peers' job on every platform, in turns, as one table: ``make bench-peers`` (an hour on two cores).

    python -m benchmarks.peers                               all platforms, three repetitions
    python -m benchmarks.peers --only bare ours-2 --repetitions 1
    python -m benchmarks.peers --write                       and put the table into docs/speed.md

Platforms are run one after another, and that as often as there are repetitions, so that a change on the
machine hits them all. Every figure is the median; ratios are of medians. The peers' scripts are looked for in
``--peers``, else $FEDRAS_PEERS, else ../shared/peers; environments and data are kept in ``--cache``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.peers.environments import NotInstalledError, environment, versions
from benchmarks.peers.job import prepare
from benchmarks.peers.measuring import Measured, measure
from benchmarks.peers.platforms import KEYS, OWN, PLATFORMS, Platform
from benchmarks.peers.same import losses
from benchmarks.peers.table import as_markdown, machine, write

ROOT = Path(__file__).parents[2]
WARM_UP = 2  # rounds
SINGLE = {"OMP_NUM_THREADS": "1", "FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0"}


def arguments() -> argparse.Namespace:
    """What was asked for."""
    kept = os.environ.get("FEDRAS_CACHE", "~/.cache/fedras")
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = str(ROOT.parent / "shared" / "peers")
    asked.add_argument("--peers", default=os.environ.get("FEDRAS_PEERS", beside))
    asked.add_argument("--cache", default=str(Path(kept).expanduser() / "peers"))
    asked.add_argument("--only", nargs="+", choices=KEYS, default=KEYS)
    asked.add_argument("--repetitions", type=int, default=3)
    asked.add_argument("--limit", type=float, default=900.0, help="seconds that one run may take")
    asked.add_argument("--json", default="runs/peers.json", help="where the figures go")
    asked.add_argument("--write", action="store_true", help="put the table into docs/speed.md")
    return asked.parse_args()


def main() -> None:
    """See the module."""
    asked = arguments()
    peers, cache = Path(asked.peers).resolve(), Path(asked.cache).resolve()
    if not (peers / "fedmf_common.py").is_file():
        raise SystemExit(f"no fedmf_common.py in {peers}: name the folder of the peers' scripts with --peers")
    prepare(peers, cache)
    chosen = [one for one in PLATFORMS if one.key in asked.only]
    ready, failed = _ready(chosen, cache)
    runs: dict[str, list[Measured]] = {key: [] for key in ready}
    for repetition in range(asked.repetitions):
        for one in chosen:
            if one.key in failed:
                continue
            found = _run(one, ready[one.key], peers, cache, asked.limit)
            print(f"{repetition + 1}/{asked.repetitions} {one.title}: {found}", flush=True)
            if isinstance(found, str):
                failed[one.key] = found
            else:
                runs[one.key].append(found)
    told = {
        "machine": machine(),
        "repetitions": asked.repetitions,
        "versions": {one.key: versions(ready[one.key], one.packages) for one in chosen if one.key in ready},
        "runs": {key: [asdict(one) for one in found] for key, found in runs.items()},
        "failed": failed,
        "by_hand": losses(peers, cache, 8),
    }
    Path(asked.json).parent.mkdir(parents=True, exist_ok=True)
    Path(asked.json).write_text(json.dumps(told, indent=1), encoding="utf-8")
    text = as_markdown(chosen, runs, failed, told)
    print(text)
    if asked.write:
        write(ROOT / "docs" / "speed.md", text)


def _ready(chosen: list[Platform], cache: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The Python of each platform, and why there is none."""
    ready, failed = {}, {}
    for one in chosen:
        try:
            is_ours = one.requirements == OWN
            ready[one.key] = Path(sys.executable) if is_ours else environment(one.requirements, cache)
        except NotInstalledError as error:
            failed[one.key] = str(error)
    return ready, failed


def _run(one: Platform, python: Path, peers: Path, cache: Path, limit_s: float) -> Measured | str:
    filled = [part.format(cache=cache, rounds=one.rounds) for part in one.command]
    extra: Mapping[str, str] = {
        **SINGLE,
        **one.environment,
        "ROUNDS": str(one.rounds),
        "PEERS_CACHE": str(cache),
    }
    folder = ROOT if one.requirements == OWN else peers
    return measure([str(python), *filled], extra, folder, one.rounds, WARM_UP, limit_s)


if __name__ == "__main__":
    main()
