"""A site: what goes from clients to the server is a blob, and what leaves it are numbers and sums."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from fedras_ray.codecs import ragged
from fedras_ray.config.codecs import CodecConfig
from fedras_ray.crew import Crew
from fedras_ray.errors import ClientError
from fedras_ray.faults import Faults
from fedras_ray.models.build import build_model
from fedras_ray.server.folding import Share, Shares, joined, order_of_arrival
from fedras_ray.site import Site
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.local import LocalTraining
from fedras_ray.work import PACE, Assignment, Assignments, Round

only_sync = pytest.mark.parametrize("small", ["sync"], indirect=True)


@pytest.fixture
def sites(small):
    """All five shards at one site, and at two: of two shards and of three."""
    experiment, dataset = small
    made = [Site(experiment, dataset, shards) for shards in (range(5), range(2), range(2, 5))]
    table = build_model(experiment.model).initial_items(dataset.item_count, stream(1, Purpose.ITEM_TABLE))
    for site in made:
        site.publish(0, table)
    return made


@pytest.fixture
def work(small):
    """Three clients of each shard, who have something to train on."""
    clients = np.flatnonzero(small[1].train.counts()).tolist()
    return {
        shard: Assignments.of(Assignment(client, 0, 0, 0, None) for client in clients if client % 5 == shard)[
            :3
        ]
        for shard in range(5)
    }


def within(site_shards, some):
    return {shard: one for shard, one in some.items() if shard in site_shards}


@only_sync
def test_two_sites_say_and_add_up_what_one_does(sites, work):
    whole, left, right = sites
    expected = whole.train(work)
    found = [*left.train(within(range(2), work)), *right.train(within(range(2, 5), work))]
    assert found == [*expected]
    shares = {
        shard: Shares.of([Share(one.client, one.turn, 0.7) for one in some]) for shard, some in work.items()
    }
    (one,) = whole.fold(shares, {})
    sums = left.fold(within(range(2), shares), {}) + right.fold(within(range(2, 5), shares), {})
    (both,) = joined(sums, range(5), 5)
    for mine, theirs in zip((both.ids, both.rows, both.counts), (one.ids, one.rows, one.counts), strict=True):
        assert mine.tobytes() == theirs.tobytes()
    assert [len(site.desk.shelf) for site in sites] == [0, 0, 0]


@only_sync
def test_what_is_gone_is_kept_no_longer_and_not_added(sites, work):
    site = sites[0]
    site.train(work)
    lost = {0: [(one.client, one.turn) for one in work[0]]}
    assert site.fold({}, lost) == []
    assert len(site.desk.shelf) == 12


@only_sync
def test_bytes_that_cannot_be_decoded_name_their_client(sites, work, monkeypatch):
    site = sites[0]
    real = site.clients.train

    def damaged(assignments):
        sent = real(assignments)
        first, *others = sent.blobs
        return sent._replace(blobs=[first[:-1], *others])

    monkeypatch.setattr(site.clients, "train", damaged)
    culprit = work[0][0].client
    with pytest.raises(
        ClientError, match=f"client {culprit} on model version 0: what it sent cannot be decoded"
    ):
        site.train(work)


@pytest.fixture
def rounds(work):
    """As `work`, with links and ends of trainings of which two are the same."""
    draw = stream(3, Purpose.SYNTHETIC)
    made = {}
    for shard, some in work.items():
        pace = np.zeros(len(some), PACE)
        pace["trained_at_ns"] = draw.permutation([5_000_000_000, 5_000_000_000, 5_000_100_000])
        pace["latency_s"] = 0.05
        pace["uplink_bytes_per_s"] = draw.uniform(1e5, 1e6, len(some)) if shard else 1e5
        pace["weight"] = draw.uniform(0.5, 2, len(some))
        made[shard] = Round(some, pace)
    return made


def added_up(site, rounds, receipts):
    """What was not refused, in the order of arrival."""
    shares, place = {}, 0
    for shard, some in rounds.items():
        arrivals = []
        for one, pace in zip(some.assignments, some.pace, strict=True):
            trained_at_ns, latency_s, uplink_bytes_per_s, weight = pace.item()
            upload_ns = round(1e9 * (latency_s + receipts[place].byte_count / uplink_bytes_per_s))
            share = Share(one.client, one.turn, weight)
            if not receipts[place].refused:
                arrivals.append((trained_at_ns + upload_ns, trained_at_ns, place, share))
            place += 1
        shares[shard] = Shares.of([share for *_, share in sorted(arrivals, key=lambda one: one[:3])])
    return site.fold(shares, {})


@only_sync
@pytest.mark.parametrize("damages", [False, True])
def test_a_round_is_training_and_then_the_sum_in_the_order_of_arrival(sites, rounds, damages, monkeypatch):
    whole, left, right = sites
    if damages:
        victim = rounds[1].assignments[1].client

        def flipped(turns, blobs):
            return [
                bytes([~blob[0] & 255]) + blob[1:] if turn[0] == victim else blob
                for turn, blob in zip(turns, blobs, strict=True)
            ]

        monkeypatch.setattr(Faults, "flips_bits", True)
        for site in sites:
            monkeypatch.setattr(site._faults, "in_flight", flipped)
    receipts = whole.train({shard: some.assignments for shard, some in rounds.items()})
    assert sum(one.refused for one in receipts) == damages
    (expected,) = added_up(whole, rounds, receipts)
    both = [left.round(within(range(2), rounds)), right.round(within(range(2, 5), rounds))]
    assert [one for part in both for one in part.receipts] == [*receipts]
    (found,) = joined([one for part in both for one in part.sums], range(5), 5)
    for mine, theirs in zip(
        (found.ids, found.rows, found.counts), (expected.ids, expected.rows, expected.counts), strict=True
    ):
        assert mine.tobytes() == theirs.tobytes()
    assert [len(site.desk.shelf) for site in sites] == [0, 0, 0]


@only_sync
@pytest.mark.parametrize(("codec", "batches"), [("actions", []), ("lowrank", [3] * 5)])
def test_updates_of_shards_are_encoded_together_where_company_changes_no_bit(
    small, work, monkeypatch, codec, batches
):
    experiment, dataset = small
    experiment = experiment.model_copy(
        update={"codec": TypeAdapter(CodecConfig).validate_python({"kind": codec})}
    )
    found = []
    real = ragged.encode_all
    monkeypatch.setattr(
        ragged, "encode_all", lambda codec, some: found.append(len(some)) or real(codec, some)
    )
    site = Site(experiment, dataset, range(5))
    table = build_model(experiment.model).initial_items(dataset.item_count, stream(1, Purpose.ITEM_TABLE))
    site.publish(0, table)
    site.train(work)
    assert found == batches


def test_at_one_instant_they_arrive_in_the_order_in_which_their_uploads_began():
    trained_at_ns, arrived_at_ns = np.array([5, 3, 5, 4]), np.array([9, 9, 9, 8])
    assert order_of_arrival(trained_at_ns, arrived_at_ns).tolist() == [3, 1, 0, 2]


@only_sync
@pytest.mark.parametrize("is_alike", [True, False])
def test_turns_of_shards_are_one_batch_where_company_changes_no_bit(sites, work, monkeypatch, is_alike):
    monkeypatch.setattr(LocalTraining, "is_alike", property(lambda self: is_alike))
    found = sites[0].clients.batches(work, Crew(1))
    assert found == ([[*range(5)]] if is_alike else [[shard] for shard in range(5)])
