"""A site: what goes from clients to the server is a blob, and what leaves it are numbers and sums."""

import numpy as np
import pytest

from fedras_ray.errors import ClientError
from fedras_ray.models.build import build_model
from fedras_ray.server.folding import Share, Shares, joined
from fedras_ray.site import Site
from fedras_ray.streams import Purpose, stream
from fedras_ray.work import Assignment, Assignments

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
    assert [len(site.desk) for site in sites] == [0, 0, 0]


@only_sync
def test_what_is_gone_is_kept_no_longer_and_not_added(sites, work):
    site = sites[0]
    site.train(work)
    lost = {0: [(one.client, one.turn) for one in work[0]]}
    assert site.fold({}, lost) == []
    assert len(site.desk) == 12


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
