"""The server as a whole: a table, what arrived, and the next version."""

import numpy as np
import pytest

from fedras_ray.config import build
from fedras_ray.models.build import build_model
from fedras_ray.records import Fate
from fedras_ray.server.aggregation import Accumulator
from fedras_ray.server.downlink import Delivery
from fedras_ray.server.folding import Partial
from fedras_ray.server.server import Server
from fedras_ray.server.tally import Tally
from fedras_ray.streams import Purpose, stream

ITEMS = 5


def server(**settings):
    tree = {"seed": 3, "model": {"width": 2}, "server": {"count_power": 0, **settings}}
    experiment = build(tree)
    return Server(experiment, ITEMS, build_model(experiment.model))


def total(*updates):
    """What a site adds updates up to, from (update, weight)."""
    accumulator = Accumulator(ITEMS, 2)
    for update, weight in updates:
        accumulator.add(update, weight)
    return Partial(0, 0, *accumulator.drained())


def test_the_first_table_is_drawn_from_its_own_stream():
    expected = build_model(build({"model": {"width": 2}}).model).initial_items(
        ITEMS, stream(3, Purpose.ITEM_TABLE)
    )
    np.testing.assert_array_equal(server().table, expected)
    assert server().version == 0


def test_a_version_is_the_table_plus_what_arrived(update_of):
    one = server(optimizer={"kind": "sgd", "rate": 0.5})
    before = one.table.copy()
    updates = [update_of(rows, ITEMS) for rows in ({1: [2, 4]}, {1: [2, 0], 3: [-2, 6]})]
    arrived = total(*((update, one.take(0, 0.5, 1)) for update in updates))
    np.testing.assert_array_equal(one.table, before)  # nothing moves before the version is made
    assert one.arrived(0) == 2
    one.advance(arrived, 77, 4, 0, 0)
    np.testing.assert_allclose(one.table - before, [[0, 0], [2, 2], [0, 0], [-1, 3], [0, 0]], atol=1e-6)
    assert (one.version, one.arrived(0), one.made_at_ns) == (1, 0, 77)


def test_fedavg_is_the_mean_over_the_samples_of_all_clients(update_of):
    one = server(count_power=0.5, average="clients", client_weight="samples")
    before = one.table.copy()
    sent = [(update_of({1: [4, 8]}, ITEMS), 0.5), (update_of({3: [2, 2]}, ITEMS), 1.5)]
    one.advance(total(*((update, one.take(0, 0.0, samples)) for update, samples in sent)), 0, 0, 0, 0)
    np.testing.assert_allclose((one.table - before)[[1, 3]], [[1, 2], [1.5, 1.5]], rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "weight"),
    [
        ({}, 1),
        ({"client_weight": "samples"}, 2.5),
        ({"staleness": {"kind": "polynomial"}}, 0.5),
        ({"staleness": {"kind": "polynomial"}, "client_weight": "samples"}, 1.25),
    ],
    ids=["uniform", "samples", "staleness", "both"],
)
def test_an_update_weighs_its_staleness_times_its_data(update_of, settings, weight):
    one = server(**settings)
    before = one.table.copy()
    arrived = total((update_of({2: [4, 8]}, ITEMS), one.take(3, 0.0, 2.5)))
    one.advance(arrived, 0, 0, 0, 0)
    np.testing.assert_allclose((one.table - before)[2], [4 * weight, 8 * weight], rtol=1e-5)


def test_the_record_of_a_version_counts_since_the_last_one_and_totals_since_the_start():
    one = server()
    one.tally.received(10, 100, 50, Fate.USED)
    one.take(0, 0.25, 1)
    one.take(3, 0.75, 1)
    first = one.advance(None, 1_000, 6, 0, 0)
    one.tally.sent(Delivery(0, 7), 100)
    one.take(4, 0.125, 1)
    second = one.advance(None, 2_000, 5, 0, 44)
    assert (first.version, first.at_ns, first.updates, first.in_flight) == (1, 1_000, 2, 6)
    assert (first.mean_staleness, first.train_loss, first.client_updates) == (1.5, 0.5, 2)
    assert (second.version, second.at_ns, second.updates, second.in_flight) == (2, 2_000, 1, 5)
    assert (second.mean_staleness, second.train_loss, second.client_updates) == (4, 0.125, 3)
    assert (first.up_bytes, first.dense_up_bytes, first.sparse_up_bytes, first.down_bytes) == (10, 100, 50, 0)
    assert (second.up_bytes, second.down_bytes, second.dense_down_bytes) == (10, 7, 100)
    assert one.mean_staleness == pytest.approx(7 / 3)


def test_a_version_of_nothing_moves_nothing():
    one = server()
    before = one.table.copy()
    record = one.advance(None, 5, 0, 0, 0)
    np.testing.assert_array_equal(one.table, before)
    assert (record.updates, record.mean_staleness, record.train_loss, one.mean_staleness) == (0, 0, 0, 0)


def test_a_tally_adds_up_and_waste_is_a_part_of_what_came_up():
    tally = Tally()
    tally.sent(Delivery(0, 30, catch_up_bytes=4), 100)
    tally.sent(Delivery(0, 31, snapshot_bytes=9), 100)
    tally.received(5, 100, 40, Fate.USED)
    tally.received(6, 100, 41, Fate.WASTED)
    assert tally == Tally(
        up=11, down=61, catch_up=4, snapshots=9, wasted=6, dense_up=200, dense_down=200, sparse_up=81
    )
