"""Downlinks of differences: a client that applied what it was sent holds the replica, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedras_ray.codecs import wire
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.dense import DenseCodec
from fedras_ray.codecs.grid import as_f32, unpack_steps
from fedras_ray.config import build
from fedras_ray.config import codecs as configs
from fedras_ray.config.fleet import FedScaleFleet
from fedras_ray.errors import CodecError
from fedras_ray.fleet.build import build_fleet
from fedras_ray.server.downlinks import build_downlink
from fedras_ray.server.eras import Era, principal_axes, unpack_axes
from fedras_ray.server.lanes import assign, snapshot
from fedras_ray.server.lattice import NOTHING, coarseness, dithered
from fedras_ray.server.seeding import pack_seed, unpack_seed
from fedras_ray.server.touched import Holdings, pack_request, refined, unpack_notice, unpack_request
from fedras_ray.streams import Purpose, stream
from tests.server.deliveries import sent

ITEMS, WIDTH, CLIENTS, SEED = 40, 4, 12, 5
STEP = as_f32(0.05)
GRID = configs.GridCodec(kind="grid", step=0.5)
ACTIONS = configs.ActionsCodec(kind="actions", actions=configs.FixedActions(count=4))
LATTICES = {
    "lattice": configs.LatticeDownlink(kind="lattice", step=0.05),
    "lattice, every third": configs.LatticeDownlink(kind="lattice", step=0.05, every=3),
    "lattice, coarse at first": configs.LatticeDownlink(kind="lattice", step=0.05, doublings=2),
    "lattice of columns": configs.LatticeDownlink(kind="lattice", step=0.05, axes="given"),
    "lattice, no dither": configs.LatticeDownlink(kind="lattice", step=0.05, dither=False),
    "lattice, axes late": configs.LatticeDownlink(kind="lattice", step=0.05, axes_after=0.6),
    "lattice, short memory": configs.LatticeDownlink(kind="lattice", step=0.05, history=2),
}
LANES = {
    "turns of grids": configs.LanesDownlink(kind="lanes", count=3, codec=GRID),
    "turns of actions": configs.LanesDownlink(kind="lanes", count=3, codec=ACTIONS),
    "one lane": configs.LanesDownlink(kind="lanes", count=1, codec=ACTIONS, refresh="all"),
    "all lanes": configs.LanesDownlink(kind="lanes", count=2, codec=ACTIONS, refresh="all", every=2),
    "short memory": configs.LanesDownlink(kind="lanes", count=2, codec=GRID, refresh="all", history=2),
    "half precision": configs.LanesDownlink(
        kind="lanes", count=2, codec=configs.SparseCodec(kind="sparse", dtype="f16")
    ),
}


def tables(count, seed=1):
    """A table that moves: its first state is the one that clients can draw from the seed."""
    rng = stream(seed, Purpose.ITEM_TABLE)
    table = rng.standard_normal((ITEMS, WIDTH)).astype(np.float32)
    for _ in range(count):
        yield table.copy()
        moved = rng.random(ITEMS) < 0.6
        table[moved] += (0.2 * rng.standard_normal((int(moved.sum()), WIDTH))).astype(np.float32)


def link_of(config, threads=1):
    fleet = build_fleet(FedScaleFleet(), CLIENTS, SEED)
    tree = {"seed": SEED, "downlink": config.model_dump(), "schedule": {"versions": 12}}
    experiment = build(tree, [f"execution.threads={threads}"])
    return build_downlink(experiment, fleet, np.arange(1, CLIENTS + 1))


class LatticeClient:
    """What a device does: draw the first table, add integers, multiply by the step."""

    def __init__(self, first):
        self.first, self.era = first, Era(first, 0)
        self.steps = np.zeros((ITEMS, WIDTH), np.int32)

    def receive(self, blobs):
        for blob in blobs:
            match blob[3]:
                case wire.CodecId.SEED:
                    assert unpack_seed(blob) == (SEED, ITEMS, WIDTH)
                    self.__init__(self.first)
                case wire.CodecId.DENSE_F16:
                    self.era, self.steps = Era(self.table(), 0, blob), np.zeros((ITEMS, WIDTH), np.int32)
                case wire.CodecId.GRID:
                    ids, steps, step, items = unpack_steps(blob)
                    assert items == ITEMS
                    self.steps[ids] += steps * round(step / STEP)

    def table(self):
        return self.era.replica(self.steps, STEP)


@pytest.mark.parametrize("name", LATTICES)
@settings(max_examples=15)
@given(st.data())
def test_on_a_lattice_whoever_applied_its_messages_holds_the_replica(name, data):
    config, link, views, clients = LATTICES[name], link_of(LATTICES[name]), {}, {}
    first = next(tables(1))
    if config.dither:
        first = dithered(first, STEP * 2**config.doublings, SEED)
    for version, table in enumerate(tables(12)):
        views |= link.publish(version, table)
        for client in sorted(data.draw(st.sets(st.integers(0, CLIENTS - 1), max_size=4))):
            one = clients.setdefault(client, LatticeClient(first))
            blobs = link.message(link.state_of(client))
            one.receive(blobs)
            delivery = sent(link, client)
            assert delivery.byte_count == sum(map(len, blobs))
            assert one.table().tobytes() == views[delivery.view].tobytes()


def test_a_lattice_counts_the_bytes_of_its_messages():
    link = link_of(LATTICES["lattice"])
    for version, table in enumerate(tables(6)):
        link.publish(version, table)
        if version == 2:
            newcomer, blobs = sent(link, 0), link.message(NOTHING)
            assert newcomer.byte_count == newcomer.snapshot_bytes == sum(map(len, blobs))
            assert (newcomer.catch_up_bytes, len(blobs)) == (0, 4)  # seed, moves, axes, moves
    back = sent(link, 0)
    assert back.byte_count == back.catch_up_bytes == len(link.message(2)[0])
    again = sent(link, 0)
    assert (again.catch_up_bytes, again.snapshot_bytes) == (0, 0)
    assert 0 < again.byte_count == len(link.message(5)[0]) < back.byte_count


def test_one_message_over_many_versions_is_shorter_than_one_for_each():
    link, each = link_of(LATTICES["lattice"]), 0
    for version, table in enumerate(tables(12)):
        link.publish(version, table)
        if version:
            each += len(link.message(version - 1)[0])
    assert len(link.message(0)[0]) < each / 2


@pytest.mark.parametrize("name", LATTICES)
def test_a_lattice_stays_within_its_step_of_the_table(name):
    config, link = LATTICES[name], link_of(LATTICES[name])
    for version, table in enumerate(tables(13)):
        for view in link.publish(version, table).values():
            step = config.step * coarseness(config.doublings, version, 12)
            turned = 1 if config.axes == "given" else WIDTH**0.5  # an error along all axes at once
            assert np.abs(view - table).max() <= (0.5 + config.dead_zone) * step * turned * 1.001


def test_a_lattice_forgets_states_beyond_its_history():
    link = link_of(configs.LatticeDownlink(kind="lattice", step=0.05, history=3))
    sizes = []
    for version, table in enumerate(tables(10)):
        link.publish(version, table)
        sent(link, version)
        sizes.append(link.state_bytes)
    eras = (4 + 4 + 4) * ITEMS * WIDTH  # two origins, and the end of the first
    assert max(sizes) == sizes[-1] == 3 * 2 * ITEMS * WIDTH + eras + 4 * CLIENTS
    assert sent(link, 0).snapshot_bytes > 0  # held state 0, which is gone
    assert sent(link, 8).snapshot_bytes == 0


def test_a_table_that_runs_off_the_lattice_is_an_error_with_a_way_out():
    link = link_of(configs.LatticeDownlink(kind="lattice", step=1e-4))
    link.publish(0, np.zeros((ITEMS, WIDTH), np.float32))
    with pytest.raises(CodecError, match=r"raise downlink\.step"):
        link.publish(1, np.full((ITEMS, WIDTH), 10, np.float32))


@pytest.mark.parametrize("name", LANES)
@settings(max_examples=10)
@given(st.data())
def test_whoever_applied_the_log_of_its_lane_holds_the_replica(name, data):
    config, link, views = LANES[name], link_of(LANES[name]), {}
    codec, exact = build_codec(config.codec), DenseCodec(configs.DenseCodec(dtype="f32"))
    held, applied = {}, {}
    first = next(tables(1))
    for version, table in enumerate(tables(14)):
        views |= link.publish(version, table)
        for client in sorted(data.draw(st.sets(st.integers(0, CLIENTS - 1), max_size=4))):
            lane = link._lanes[link._lane_of[client]]
            mine = held.setdefault(client, first.copy())
            missed = lane.newest - applied.get(client, 0)
            blobs = link.messages(client)[-missed:] if missed else []
            seed = [link.first_message()] if client not in applied else []
            delivery = sent(link, client)
            if delivery.byte_count == sum(map(len, seed + blobs)) and missed <= len(link.messages(client)):
                for blob in blobs:
                    update = codec.decode(blob)
                    mine[update.item_ids] += update.rows
            else:
                blob = snapshot(lane.replica)
                assert delivery.byte_count == delivery.snapshot_bytes == len(blob)
                update = exact.decode(blob)
                mine[:] = 0
                mine[update.item_ids] = update.rows
            applied[client] = lane.newest
            assert mine.tobytes() == views[delivery.view].tobytes() or (mine == views[delivery.view]).all()


@pytest.mark.parametrize("name", LANES)
def test_what_one_message_leaves_out_is_in_the_next(name):
    """A table that stands still is reached, whatever the codec leaves out of each message."""
    link, (first, last) = link_of(LANES[name]), tables(2)
    link.publish(0, first)
    off = []
    for version in range(1, 60):
        for view in link.publish(version, last).values():
            off.append(float(np.abs(view - last).max()))
    assert off[-1] < 0.02 * off[0]


def test_in_turns_one_lane_is_served_and_its_clients_are_preferred():
    link = link_of(LANES["turns of grids"])
    for version, table in enumerate(tables(7)):
        views = link.publish(version, table)
        lane = version % 3
        assert (link.preferred() == (link._lane_of == lane)).all()
        if version:
            assert list(views) == [link._lanes[lane].view]


TOUCHED = {
    "touched": configs.LatticeDownlink(kind="lattice", rows="touched", step=0.05),
    "touched, coarse at first": configs.LatticeDownlink(
        kind="lattice", rows="touched", step=0.05, doublings=1
    ),
    "touched, axes late": configs.LatticeDownlink(kind="lattice", rows="touched", step=0.05, axes_after=0.6),
    "touched, columns": configs.LatticeDownlink(kind="lattice", rows="touched", step=0.05, axes="given"),
    "touched, short memory": configs.LatticeDownlink(kind="lattice", rows="touched", step=0.05, history=3),
}


class TouchingClient:
    """What a device does that asks for rows: it remembers, of each row, the integers and their state."""

    def __init__(self, config, first):
        self.history, self.origin, self.axes_blob = config.history, first.copy(), None
        self.early, self.late = np.zeros((ITEMS, WIDTH), np.int32), np.zeros((ITEMS, WIDTH), np.int32)
        self.held = np.zeros(ITEMS, np.int64)

    def receive(self, rows, blobs):
        grids = []
        for blob in blobs:
            match blob[3]:
                case wire.CodecId.SEED:
                    assert unpack_seed(blob) == (SEED, ITEMS, WIDTH)
                case wire.CodecId.NOTICE:
                    newest, start = unpack_notice(blob)
                case wire.CodecId.DENSE_F16:
                    self.axes_blob = blob
                case wire.CodecId.GRID:
                    grids.append(blob)
        held, oldest = self.held[rows], newest - self.history
        if self.axes_blob is None:
            (blob,) = grids
            self.apply(self.early, rows, (held > 0) & (held > oldest), blob)
        else:
            early = held < start
            if early.any():
                mine = rows[early]
                self.apply(self.early, mine, (held[early] > 0) & (held[early] > oldest), grids.pop(0))
            (blob,) = grids
            self.apply(self.late, rows, (held > start) & (held > oldest), blob)
        self.held[rows] = newest

    def apply(self, integers, rows, builds, blob):
        places, steps, step, count = unpack_steps(blob)
        assert count == len(rows)
        integers[rows[~builds]] = 0
        integers[rows[places]] += steps * round(step / STEP)

    def rows(self, rows):
        table = Era(self.origin, 0).replica(self.early, STEP)
        if self.axes_blob is not None:
            table = Era(table, 0, self.axes_blob).replica(self.late, STEP)
        return table[rows]


@pytest.mark.parametrize("name", TOUCHED)
@settings(max_examples=15)
@given(st.data())
def test_whoever_asks_for_rows_holds_these_of_the_replica(name, data):
    config, link, views, clients = TOUCHED[name], link_of(TOUCHED[name]), {}, {}
    first = dithered(next(tables(1)), STEP * 2**config.doublings, SEED)
    for version, table in enumerate(tables(12)):
        views |= link.publish(version, table)
        for client in sorted(data.draw(st.sets(st.integers(0, CLIENTS - 1), max_size=3))):
            wanted = data.draw(st.sets(st.integers(0, ITEMS - 1), min_size=1, max_size=9))
            rows = np.array(sorted(wanted), np.int32)
            one = clients.setdefault(client, TouchingClient(config, first))
            blobs, _ = link.message(client, rows)
            one.receive(rows, blobs)
            delivery = sent(link, client, rows)
            assert delivery.byte_count == sum(map(len, blobs))
            assert delivery.request_bytes == len(pack_request(rows, ITEMS, WIDTH))
            assert one.rows(rows).tobytes() == views[delivery.view][rows].tobytes()


def test_few_rows_cost_less_than_the_table_and_the_end_brings_all_of_it():
    link, whole = link_of(TOUCHED["touched"]), link_of(LATTICES["lattice"])
    for version, table in enumerate(tables(8)):
        link.publish(version, table)
        whole.publish(version, table)
        few, everything = sent(link, 3, np.array([2, 7], np.int32)), sent(whole, 3)
        if version > 1:
            assert few.byte_count < everything.byte_count
    snapshot = sum(map(len, whole.message(NOTHING)))
    assert link.closing_bytes(np.array([1, 2])) == 2 * snapshot  # they hold nothing
    assert link.closing_bytes(np.array([3])) <= snapshot
    sent(link, 3, np.arange(ITEMS, dtype=np.int32))
    assert link.closing_bytes(np.array([3])) < snapshot / 3  # it lacks nothing
    assert whole.closing_bytes(np.array([3])) == 0


def test_a_downlink_of_touched_rows_must_be_told_which():
    link = link_of(TOUCHED["touched"])
    link.publish(0, next(tables(1)))
    with pytest.raises(CodecError, match="which"):
        sent(link, 0)


@given(st.sets(st.integers(0, 99)))
def test_a_request_comes_back(wanted):
    rows = np.array(sorted(wanted), np.int32)
    assert (unpack_request(pack_request(rows, 100, 4)) == rows).all()


@pytest.mark.parametrize("name", [*LATTICES, *LANES])
def test_views_are_read_only_retired_once_and_never_while_someone_could_be_sent_them(name):
    link, alive = link_of((LATTICES | LANES)[name]), set()
    for version, table in enumerate(tables(10)):
        views = link.publish(version, table)
        assert not alive & set(views)
        alive |= set(views)
        assert not any(view.flags.writeable for view in views.values())
        for view in link.retired():
            alive.remove(view)
        assert link.retired() == []
        assert set(link.views(np.arange(CLIENTS)).tolist()) <= alive
        assert {sent(link, client).view for client in range(CLIENTS)} <= alive


@pytest.mark.parametrize("name", [*LATTICES, *LANES])
def test_nothing_that_is_sent_is_free(name):
    link = link_of((LATTICES | LANES)[name])
    for version, table in enumerate(tables(5)):
        link.publish(version, table)
        deliveries = [sent(link, client) for client in (0, 1, 1)]
        if name in LATTICES:
            assert all(one.byte_count > 18 for one in deliveries)
        assert all(one.catch_up_bytes + one.snapshot_bytes <= one.byte_count for one in deliveries)


def test_lanes_are_equal_parts_classes_or_clients_who_return_as_soon():
    fleet, samples = build_fleet(FedScaleFleet(), 90, SEED), np.arange(1, 91)
    fixed = assign(configs.LanesDownlink(kind="lanes", count=4), fleet, samples, SEED)
    assert sorted(np.bincount(fixed).tolist()) == [22, 22, 23, 23]
    by_class = assign(configs.LanesDownlink(kind="lanes", count=3, assignment="class"), fleet, samples, SEED)
    assert (by_class == fleet.device_class).all()
    sooner = configs.LanesDownlink(kind="lanes", count=3, assignment="participation")
    lanes, turn_s = assign(sooner, fleet, samples, SEED), samples * fleet.train_s_per_sample
    assert turn_s[lanes == 0].max() <= turn_s[lanes == 1].min()
    assert turn_s[lanes == 1].max() <= turn_s[lanes == 2].min()


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**31 - 1), st.integers(1, 65_535))
def test_a_seed_comes_back(seed, items, width):
    assert unpack_seed(pack_seed(seed, items, width)) == (seed, items, width)


def test_the_multiple_falls_by_halves_to_one():
    multiples = [coarseness(2, version, 90) for version in range(91)]
    assert [multiples.count(size) for size in (4, 2, 1)] == [31, 30, 30]
    assert multiples == sorted(multiples, reverse=True)
    assert {coarseness(0, version, 90) for version in range(91)} == {1}


def test_principal_axes_are_those_of_the_singular_values():
    moved = next(tables(1)) @ np.diag([8, 4, 2, 1]).astype(np.float32)
    axes, (_, _, rows) = unpack_axes(principal_axes(moved)), np.linalg.svd(moved)
    assert np.abs(np.abs(axes.T @ rows.T) - np.eye(WIDTH)).max() < 2e-3  # f16, and either sign


def test_moves_along_common_directions_cost_less_in_principal_axes():
    rng = np.random.default_rng(0)
    moves = rng.standard_normal((10, 400, 1)) * rng.standard_normal((1, 1, 16)) / 4
    table, sizes = np.zeros((400, 16), np.float32), {}
    for axes in ("given", "principal"):
        config = configs.LatticeDownlink(kind="lattice", step=0.05, axes=axes)
        link = link_of(config)
        for version in range(10):
            link.publish(version, table + moves[:version].sum(axis=0, dtype=np.float32))
        sizes[axes] = len(link.message(5)[-1])
    assert sizes["principal"] < 0.5 * sizes["given"]


def test_dither_is_even_within_half_a_step_and_the_seeds_own():
    table = np.zeros((400, 16), np.float32)
    noise = dithered(table, 0.5, 3) / 0.5
    assert np.abs(noise).max() <= 0.5
    assert noise.std() == pytest.approx(12**-0.5, rel=0.02)
    assert (noise != dithered(table, 0.5, 4) / 0.5).any()


@pytest.mark.parametrize(("dither", "seen"), [(True, 0.25), (False, 0.0)])
def test_with_dither_a_drift_below_the_step_shows_in_its_share_of_the_rows(dither, seen):
    """All items drift by a quarter of a step; on average so does the replica, or not at all."""
    config = configs.LatticeDownlink(kind="lattice", step=0.05, dead_zone=0.0, axes="given", dither=dither)
    link, table = link_of(config), np.zeros((400, 16), np.float32)
    (before,) = link.publish(0, table).values()
    (after,) = link.publish(1, table + np.float32(0.25 * 0.05)).values()
    assert (after - before).mean() / 0.05 == pytest.approx(seen, abs=0.02)


@pytest.mark.parametrize("name", sorted(LATTICES | LANES | TOUCHED))
def test_an_offer_that_is_cut_off_changes_nothing_that_a_client_holds(name):
    config = (LATTICES | LANES | TOUCHED)[name]
    link, other = link_of(config), link_of(config)
    rows = np.arange(0, ITEMS, 3, dtype=np.int32)
    for version, table in enumerate(tables(6)):
        link.publish(version, table)
        other.publish(version, table)
        assert link.offer(2, rows) == link.offer(2, rows) == other.offer(2, rows)
        if version % 2:
            assert sent(link, 2, rows) == sent(other, 2, rows)
        other.offer(2, rows)  # cut off


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", sorted(LATTICES | LANES | TOUCHED))
def test_offers_to_many_are_those_to_each(name, threads):
    config = (LATTICES | LANES | TOUCHED)[name]
    link, other = link_of(config, threads), link_of(config)
    draw = stream(5, Purpose.SELECTION)
    for version, table in enumerate(tables(8)):
        link.publish(version, table)
        other.publish(version, table)
        asked = draw.permutation(CLIENTS)[: 1 + CLIENTS // 2].tolist()
        rows = {one: np.flatnonzero(draw.random(ITEMS) < 0.4).astype(np.int32) for one in asked}
        offers = link.offers(asked, rows)
        assert offers == [other.offer(client, rows[client]) for client in asked]
        for client, delivery in zip(asked, offers, strict=True):
            link.delivered(client, delivery, rows[client])
            other.delivered(client, delivery, rows[client])


@given(st.lists(st.tuples(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30))), max_size=6))
def test_what_a_client_holds_of_which_row_is_what_it_was_last_sent(turns):
    holdings, expected = Holdings(), {}
    for state, (sent_rows, asked) in enumerate(turns, 1):
        holdings.update(7, np.array(sorted(sent_rows), np.int32), state)
        expected |= dict.fromkeys(sent_rows, state)
        found = holdings.of(7, np.array(sorted(asked), np.int32))
        assert found.tolist() == [expected.get(row, 0) for row in sorted(asked)]
        assert holdings.newest_of(7) == state
        assert holdings.nbytes == 8 * len(expected)
    assert not holdings.of(8, np.arange(9, dtype=np.int32)).any()


@pytest.mark.parametrize("every", [1, 4])
def test_the_last_version_is_told_more_finely_to_all_that_rank(every):
    config = configs.LatticeDownlink(
        kind="lattice", rows="touched", step=0.05, every=every, closing_halvings=3, axes_after=0.3
    )
    experiment = build(
        {"downlink": config.model_dump(), "seed": SEED}, [f"model.width={WIDTH}", "schedule.versions=9"]
    )
    fleet = build_fleet(FedScaleFleet(), CLIENTS, SEED)
    link = build_downlink(experiment, fleet, np.full(CLIENTS, 10))
    for version, table in enumerate(tables(10)):
        assert not link.closing
        views = link.publish(version, table)
        before = link.closing_bytes(np.arange(CLIENTS)) - CLIENTS * sum(map(len, link.closing))
    (view,) = views.values()
    assert list(views) == link.views(np.arange(CLIENTS)).tolist() == [9]
    assert np.abs(view - table).max() < STEP / 8 / 2 * np.sqrt(WIDTH) + 1e-6  # half a step along each axis
    (closing,) = link.closing
    assert refined(link.lattice.replica, link.lattice.eras[-1], closing).tobytes() == view.tobytes()
    assert link.closing_bytes(np.arange(CLIENTS)) == before + CLIENTS * len(closing)
    assert not view.flags.writeable
