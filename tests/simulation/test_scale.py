"""What a great many clients cost: bytes for each that is idle, and how those who are asked are drawn."""

import tracemalloc

import numpy as np
import pytest

from fedras_ray.asking import CHOICES_PER_STREAM
from fedras_ray.assembly import assemble
from fedras_ray.config import build
from fedras_ray.evaluation.shards import ShardQuality
from fedras_ray.executor import Done
from fedras_ray.flight import IdleClients
from fedras_ray.population import Population
from fedras_ray.server.folding import Partial
from fedras_ray.simulation import Simulation
from fedras_ray.site import Rounded
from fedras_ray.streams import Purpose, stream
from fedras_ray.trace import Trace
from fedras_ray.work import Receipt, Receipts
from tests.simulation.worlds import SCHEDULES

ITEMS, WIDTH = 50, 4
COMMON = [f"model.width={WIDTH}", "codec.kind=sparse", "evaluation.every=100"]
MOST_BYTES = 100  # that an idle client may cost, beside its private state
LOOKING = {
    "policy": ["schedule.policy=straggler-aware"],
    "utility": ["selection.kind=utility"],
    "samples": ["server.client_weight=samples"],
    "lanes": ["downlink.kind=lanes"],
    "available": ["selection.kind=available", "network.availability.kind=diurnal"],
}


class Effortless:
    """Clients without data or state of their own: each sends the same row."""

    def publish(self, view, table):
        pass

    def retire(self, view):
        pass

    def train(self, work):
        told = (Receipt(one.client, 30, 1, 10, 60, 0.5, 0) for some in work.values() for one in some)
        return [Done(Receipts.of(told))]

    def round(self, work):
        (trained,) = self.train({shard: some.assignments for shard, some in work.items()})
        return [Done(Rounded(trained.result(), [self._added(len(trained.result()))]))]

    def fold(self, shares, gone):
        return [Done([self._added(sum(len(some.clients) for some in shares.values()))])]

    def _added(self, updates):
        count = np.array([updates], np.int32)
        return Partial(3, 0, np.array([1], np.int32), np.ones((1, WIDTH), np.float32), count)

    def evaluate(self, shard, views, training):
        return Done(ShardQuality(shard, np.zeros(0, np.int64), {}, 0))


def population(clients):
    return Population(np.full(clients, 20), ITEMS)


def held_bytes(clients, settings):
    """What a simulation of so many clients holds once it is over, their positives included."""
    experiment = build({}, [*COMMON, *settings])
    tracemalloc.start()
    simulation = Simulation(experiment, population(clients), Effortless())
    for _ in simulation.run():
        pass
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del simulation
    return held


def idle_bytes(settings, few=20_000, many=60_000):
    """What one more client costs that is never asked."""
    held_bytes(1_000, settings)  # whatever is made once is there
    return (held_bytes(many, settings) - held_bytes(few, settings)) / (many - few)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_an_idle_client_costs_few_bytes(schedule):
    assert idle_bytes(SCHEDULES[schedule]) <= 70


@pytest.mark.parametrize("looking", LOOKING)
def test_whatever_looks_at_clients_does_not_cost_much_more(looking):
    assert idle_bytes([*SCHEDULES["sync"], *LOOKING[looking]]) <= MOST_BYTES


def drawn(schedule, times, count):
    """Whom an asker asks, `count` at a time, if nobody comes back."""
    experiment = build({}, [*COMMON, *SCHEDULES[schedule]])
    parts = assemble(experiment, population(5_000), Effortless(), Trace())
    parts.downlink.publish(0, parts.server.table)
    return experiment.seed, [
        [one.client for one in parts.asker.ask(0, count, 0, 0, True)] for _ in range(times)
    ]


def test_every_choice_of_a_round_has_a_stream_of_its_own():
    """As published results were made: this may never change."""
    seed, found = drawn("sync", times=30, count=12)
    idle = IdleClients(np.arange(5_000))
    for number, clients in enumerate(found):
        rng = stream(seed, Purpose.SELECTION, 0, number)
        assert clients == idle.take(rng.choice(len(idle), size=12, replace=False, shuffle=False))


@pytest.mark.parametrize("schedule", ["buffered", "async"])
def test_where_there_are_no_rounds_a_block_of_choices_shares_a_stream(schedule):
    seed, found = drawn(schedule, times=2 * CHOICES_PER_STREAM + 1, count=1)
    idle = IdleClients(np.arange(5_000))
    for number, clients in enumerate(found):
        block, place = divmod(number, CHOICES_PER_STREAM)
        if place == 0:
            rng = stream(seed, Purpose.SELECTION, 0, block)
        assert clients == idle.take(rng.integers(len(idle), size=1))
