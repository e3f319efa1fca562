"""The law of determinism: who computes, and in which real order, changes nothing."""

import json
import os
import subprocess
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.executor import Done, SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import EndRecord, TurnRecord
from fedras_ray.simulation import simulate
from fedras_ray.site import Site
from fedras_ray.snapshots.sealed import sealed
from tests.conftest import DOWNLINKS, SCHEDULES, SMALL


class Thread:
    """A call in a thread of its own, after the previous call to the same host."""

    def __init__(self, call, after, delay_s):
        self._value, self._error = None, None

        def work():
            try:
                if after:
                    after._thread.join(30)
                time.sleep(delay_s)
                self._value = call()
            except Exception as error:
                self._error = error

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def together(self, others):
        """One after the other."""

    def apart(self):
        return self

    def result(self):
        self._thread.join(30)
        if self._error:
            raise self._error
        return self._value


class ScrambledExecutor:
    """A site per shard, each in threads that finish in a random real order."""

    def __init__(self, experiment, dataset, scramble):
        self._sites = [
            Site(experiment, dataset, range(shard, shard + 1)) for shard in range(experiment.execution.shards)
        ]
        self._last = [None] * len(self._sites)
        self._delays = np.random.default_rng(scramble)
        self.finished = []

    def publish(self, view, table):
        for shard, site in enumerate(self._sites):
            self._submit(shard, lambda site=site: site.publish(view, table))

    def retire(self, view):
        for shard, site in enumerate(self._sites):
            self._submit(shard, lambda site=site: site.retire(view))

    def requests(self, turns):
        return [
            self._submit(shard, lambda shard=shard, mine=mine: self._sites[shard].requests({shard: mine}))
            for shard, mine in turns.items()
        ]

    def train(self, work):
        def call(shard, mine):
            receipts = self._sites[shard].train({shard: mine})
            self.finished.append(shard)
            return receipts

        return [
            self._submit(shard, lambda shard=shard, mine=mine: call(shard, mine))
            for shard, mine in work.items()
        ]

    def round(self, work):
        def call(shard, mine):
            rounded = self._sites[shard].round({shard: mine})
            self.finished.append(shard)
            return rounded

        return [
            self._submit(shard, lambda shard=shard, mine=mine: call(shard, mine))
            for shard, mine in work.items()
        ]

    def fold(self, shares, gone):
        def call(shard):
            mine, theirs = ({shard: some[shard]} if shard in some else {} for some in (shares, gone))
            return self._sites[shard].fold(mine, theirs)

        return [
            self._submit(shard, lambda shard=shard: call(shard)) for shard in sorted(shares.keys() | gone)
        ]

    def evaluate(self, shard, views, training):
        return self._submit(shard, lambda: self._sites[shard].evaluate(shard, views, training))

    def states(self, at_work=None):
        def call(site):
            return sealed(site.states(at_work))

        return [self._submit(shard, partial(call, one)) for shard, one in enumerate(self._sites)]

    def views(self):
        held = self._submit(0, self._sites[0].clients.views).result()
        return {view: Done(table) for view, table in held.items()}

    def put_back(self, states, views):
        for one in states:
            self._submit(one.shard, lambda one=one: self._sites[one.shard].put_back([one])).result()
        for view, table in views.items():
            self.publish(view, table)

    def _submit(self, shard, call):
        self._last[shard] = Thread(call, self._last[shard], self._delays.uniform(0, 0.01))
        return self._last[shard]


def run(experiment, dataset, executor):
    return list(simulate(experiment, population_of(dataset), executor))


def test_twice_is_the_same(small):
    first, second = (run(*small, SerialExecutor(*small)) for _ in range(2))
    assert first == second
    assert isinstance(first[-1], EndRecord)


def test_another_seed_is_not(small):
    experiment, dataset = small
    other = experiment.model_copy(update={"seed": 2})
    digests = {
        run(one, dataset, SerialExecutor(one, dataset))[-1].trace_digest for one in (experiment, other)
    }
    assert len(digests) == 2


@pytest.mark.parametrize("scramble", [1, 2])
def test_real_order_does_not_matter(small, scramble):
    scrambled = ScrambledExecutor(*small, scramble)
    records = run(*small, scrambled)
    assert scrambled.finished != sorted(scrambled.finished)  # it did scramble
    assert records == run(*small, SerialExecutor(*small))


@pytest.mark.parametrize("downlink", DOWNLINKS)
def test_whatever_comes_down_real_order_does_not_matter(small, downlink):
    experiment = build(small[0].model_dump(mode="json"), DOWNLINKS[downlink])
    records = run(experiment, small[1], ScrambledExecutor(experiment, small[1], 3))
    assert records == run(experiment, small[1], SerialExecutor(experiment, small[1]))


def test_methods_that_differ_in_their_transfers_ask_the_same_clients():
    """A pair of runs is compared client by client and version by version: only the bytes may differ."""
    settings = [*SMALL, *SCHEDULES["sync"]]
    asked = []
    for codec in ("dense", "sparse", "actions"):
        experiment = build({}, [*settings, f"codec.kind={codec}"])
        dataset = load(experiment.data, experiment.seed)
        records = run(experiment, dataset, SerialExecutor(experiment, dataset))
        turns = [one for one in records if isinstance(one, TurnRecord)]
        asked.append(sorted((one.version, one.client, one.turn) for one in turns))
    assert asked[0] == asked[1] == asked[2]


PROGRAM = """
import json, sys
from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.config import build
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import simulate
chosen = build(json.loads(sys.argv[1]))
dataset = load(chosen.data, chosen.seed)
print(list(simulate(chosen, population_of(dataset), SerialExecutor(chosen, dataset)))[-1].trace_digest)
"""


def test_a_fresh_process_with_another_hash_seed_agrees(small):
    experiment, dataset = small
    tree = json.dumps(experiment.model_dump(mode="json", exclude_none=True))
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, tree],
        env=os.environ | {"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=400,
        check=True,
    )
    assert found.stdout.strip() == run(experiment, dataset, SerialExecutor(*small))[-1].trace_digest
