"""The peers' job as an experiment of ours: their data, their first tables, their training, their mean.

``python -m benchmarks.peers.job PEERS CACHE`` makes the data with the peers' own ``fedmf_common.py`` and
writes them as a user would bring them: a Parquet file of impressions, and an .npz of first tables.

Equal to the peers': every client's samples, labels and their order, batches, rates, loss, the first item
table, the first private vectors, 600 clients a round without replacement, the weighted mean. Not equal:
which clients a round has, because our server draws them from its own stream (`same.py` feeds theirs by hand).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from fedras_ray.config import Experiment, build

CLIENTS_PER_ROUND = 600


def tree(cache: Path, rounds: int, pools: int) -> Experiment:
    """The experiment; it is stopped after `rounds`, one version before its end, so that nothing is ranked."""
    return build(
        {
            "name": "peers",
            "data": {
                "kind": "file",
                "path": str(cache / "impressions.parquet"),
                "user": "user",
                "item": "item",
                "label": "label",
            },
            "model": {"width": 32, "start": str(cache / "start.npz")},
            "training": {
                "samples": "given",
                "order": "given",
                "epochs": 1,
                "batch_size": 128,
                "loss": "mean",
                "item_rate": 20.0,
                "private_rate": 20.0,
            },
            "codec": {"kind": "sparse"},
            "fleet": {"kind": "homogeneous"},
            "schedule": {"kind": "sync", "versions": rounds + 1, "clients_per_version": CLIENTS_PER_ROUND},
            "server": {"average": "clients", "client_weight": "samples"},
            "evaluation": {"every": 1_000_000, "users": 2, "sampled_negatives": 0},
            "execution": {"pools": pools},
            "tracking": {"mlflow": False},
        }
    )


def common(peers: Path, cache: Path) -> ModuleType:
    """The peers' module, whose own copy of the data goes into `cache`."""
    os.environ["PEERS_CACHE"] = str(cache)
    sys.path.insert(0, str(peers))
    import fedmf_common

    return fedmf_common


def prepare(peers: Path, cache: Path) -> None:
    """Make the data once: theirs, and the same as ours."""
    cache.mkdir(parents=True, exist_ok=True)
    theirs = common(peers, cache)
    offsets, items, labels, held_out = theirs.make_data()
    if (cache / "start.npz").exists():
        return
    users = np.arange(len(held_out))
    pa.parquet.write_table(
        pa.table(
            {  # the held-out item comes last: leave-last-out finds it there
                "user": np.concatenate([np.repeat(users, np.diff(offsets)), users]),
                "item": np.concatenate([items, held_out]),
                "label": np.concatenate([labels, np.ones(len(users))]).astype(np.int8),
            }
        ),
        cache / "impressions.parquet",
    )
    private = np.stack([theirs.init_user(user) for user in users.tolist()])
    np.savez(cache / "start.npz", items=theirs.init_items(), private=private)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
