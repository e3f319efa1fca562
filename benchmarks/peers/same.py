"""Our clients and our server, fed with the peers' cohorts by hand.

    python -m benchmarks.peers.same PEERS CACHE

Without the clock, which chooses clients itself. Everything else is the platform's: turns, blobs that are
encoded and decoded, the weighted mean. What the bare torch loop says after as many rounds is beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.peers.job import common, prepare, tree
from fedras_ray.clients import ClientHost
from fedras_ray.clock import Nanos
from fedras_ray.codecs.build import build_codec
from fedras_ray.data import load
from fedras_ray.models.build import build_model
from fedras_ray.population import population_of
from fedras_ray.server.desk import Desk
from fedras_ray.server.folding import Climbs, Share, Shares
from fedras_ray.server.server import Server
from fedras_ray.work import Assignment, Assignments


def losses(peers: Path, cache: Path, rounds: int) -> list[float]:
    """The mean loss of each round."""
    theirs = common(peers, cache)
    experiment = tree(cache, rounds, 0)
    dataset = load(experiment.data, experiment.seed)
    shards = experiment.execution.shards
    host = ClientHost(experiment, dataset, range(shards))
    server = Server(experiment, dataset.item_count, build_model(experiment.model))
    desk = Desk(build_codec(experiment.codec), dataset.item_count, experiment.model.width)
    relative = population_of(dataset).relative_samples(experiment.training)
    turns = np.zeros(dataset.user_count, dtype=int)
    found = []
    for number in range(rounds):
        host.publish(number, server.table.copy())
        cohort, shares = theirs.cohort(number), {}
        for shard in range(shards):
            work = Assignments.of(
                Assignment(user, int(turns[user]), number, number, None)
                for user in cohort[cohort % shards == shard].tolist()
            )
            if not work:
                continue
            sent = host.train(work)
            desk.receive(work.names(), sent.blobs)
            mine = [
                Share(one.client, one.turn, server.take(0, loss, relative.item(one.client)))
                for one, loss in zip(work, sent.losses.tolist(), strict=True)
            ]
            shares[shard] = Shares.of(mine)
        turns[cohort] += 1
        (total,) = desk.fold(shares, Climbs.of([*shares], range(shards), shards))
        found.append(server.advance(total, Nanos(0), 0, 0, 0).train_loss)
        host.retire(number)
    return found


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
    print(" ".join(f"{loss:.6f}" for loss in losses(Path(sys.argv[1]), Path(sys.argv[2]), 8)))
