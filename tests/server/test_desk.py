"""What arrives at a desk: bytes; what leaves it: sums over many."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.blobs import Blobs
from fedras_ray.codecs.build import build_codec, sparse_codec
from fedras_ray.config.codecs import ActionsCodec, CodecConfig
from fedras_ray.errors import CodecError
from fedras_ray.server.aggregation import Accumulator
from fedras_ray.server.desk import Desk
from fedras_ray.server.folding import Climbs, Share, Shares
from fedras_ray.streams import Purpose, stream

ITEMS, WIDTH = 6, 2
SENT = [{0: [1, 2], 3: [4, 8]}, {3: [0.5, 0.25]}, {}, {1: [3, 3], 5: [1, -1]}]


def blob_of(update, codec=None):
    return (codec or sparse_codec()).encode(Outgoing(update, lambda: stream(0, Purpose.ENCODING)))


@pytest.fixture
def blobs(update_of):
    return [blob_of(update_of(rows, ITEMS)) for rows in SENT]


def folded(desk, shard, shares):
    """The sum of one shard."""
    (found,) = desk.fold({shard: shares}, Climbs.of([shard], range(shard, shard + 1), 8))
    return found


def filled(blobs, room):
    desk = Desk(sparse_codec(), ITEMS, WIDTH, room)
    for client, (blob, sent) in enumerate(zip(blobs, SENT, strict=True)):
        values = np.array(list(sent.values()) or [[0.0]])
        seen = desk.receive([(client, 7)], [blob])
        assert (seen.actions, seen.lengths, seen.errors) == ([0], pytest.approx([np.linalg.norm(values)]), {})
    return desk


@pytest.mark.parametrize("room", [0, 5, 1_000], ids=["blobs", "some of each", "decoded"])
def test_a_sum_is_that_of_what_was_decoded_in_the_order_of_arrival(blobs, update_of, room):
    desk = filled(blobs, room)
    found = folded(desk, 2, Shares.of([Share(3, 7, 0.3), Share(0, 7, 0.7), Share(2, 7, 1.0)]))
    expected = Accumulator(ITEMS, WIDTH)
    for client, weight in ((3, 0.3), (0, 0.7), (2, 1.0)):
        expected.add(update_of(SENT[client], ITEMS), weight)
    assert (found.level, found.index) == (0, 2)
    for mine, theirs in zip((found.ids, found.rows, found.counts), expected.drained(), strict=True):
        assert mine.tobytes() == theirs.tobytes()
    assert len(desk.shelf) == 1
    assert folded(desk, 2, Shares.of([Share(1, 7, 1.0)])).rows.tolist() == [
        [0.5, 0.25]
    ]  # nothing is left of the first


@pytest.mark.parametrize("kind", ["actions", "gain-shape"])
def test_rows_that_stay_codewords_are_measured_and_added_as_rows(update_of, kind):
    """Decoded together they are codewords; one by one they are rows. A row of zeros says nothing."""
    codec = build_codec(TypeAdapter(CodecConfig).validate_python({"kind": kind, "indices": "packed"}))
    sent = [{0: [0, 0], 2: [1, 2], 4: [2, 4]}, {1: [3, -1], 2: [0, 0]}, {2: [5, 5], 4: [0, 0], 5: [1, 1]}]
    blobs = [blob_of(update_of(rows, ITEMS), codec) for rows in sent]
    desk = Desk(codec, ITEMS, WIDTH)
    seen = desk.receive([(client, 7) for client in range(3)], blobs)
    norms = [np.linalg.norm(codec.decode(blob).rows) for blob in blobs]
    assert seen.lengths == pytest.approx(norms)
    expected = Accumulator(ITEMS, WIDTH)
    for client, weight in ((2, 0.3), (0, 0.7)):
        expected.add(codec.decode(blobs[client]), weight)
    found = folded(desk, 0, Shares.of([Share(2, 7, 0.3), Share(0, 7, 0.7)]))
    assert found.ids.tolist() == [2, 4, 5], "items of which something but zeros was said"
    for mine, theirs in zip((found.ids, found.rows, found.counts), expected.drained(), strict=True):
        assert mine.tobytes() == theirs.tobytes()


def test_what_is_forgotten_makes_room(blobs):
    desk = filled(blobs, 8)  # floats: 4 + 2 + 0, and the last one's 4 do not fit
    desk.shelf.forget([(0, 7), (3, 7)])
    assert len(desk.shelf) == 2
    decoded = []
    desk._codec = Watching(decoded)
    desk.receive([(9, 0)], [blobs[0]])
    folded(desk, 0, Shares.of([Share(9, 0, 1.0), Share(1, 7, 1.0)]))
    assert len(decoded) == 1  # when it came: it fitted


def test_a_batch_makes_room_when_all_of_it_is_gone(blobs):
    desk = Desk(sparse_codec(), ITEMS, WIDTH, 8)
    desk.receive([(0, 7), (1, 7)], blobs[:2])  # 6 floats
    desk.shelf.forget([(0, 7)])
    decoded = []
    desk._codec = Watching(decoded)
    desk.receive([(3, 7)], [blobs[3]])  # 4 floats, and there is room for 2
    desk.shelf.forget([(1, 7)])
    desk.receive([(4, 7)], [blobs[3]])
    folded(desk, 0, Shares.of([Share(3, 7, 1.0), Share(4, 7, 1.0)]))
    assert len(decoded) == 3  # the first of them once more, as its blob was kept


class Watching:
    def __init__(self, decoded):
        self._decoded = decoded

    def decode(self, blob):
        self._decoded.append(blob)
        return sparse_codec().decode(blob)


def test_a_client_may_have_sent_two_turns(blobs):
    desk = Desk(sparse_codec(), ITEMS, WIDTH)
    desk.receive([(1, 0), (1, 1)], blobs[:2])
    assert folded(desk, 1, Shares.of([Share(1, 1, 1.0)])).rows.tolist() == [[0.5, 0.25]]
    assert folded(desk, 1, Shares.of([Share(1, 0, 1.0)])).ids.tolist() == [0, 3]


def test_the_number_of_actions_is_what_was_decoded(update_of):
    codec = build_codec(ActionsCodec(kind="actions"))
    desk = Desk(codec, ITEMS, WIDTH)
    assert desk.receive([(0, 0)], [blob_of(update_of(SENT[0], ITEMS), codec)]).actions == [2]


def test_bytes_of_something_else_are_refused(blobs, update_of):
    desk = Desk(sparse_codec(), ITEMS, WIDTH)
    both = desk.receive([(1, 0), (0, 0)], [blobs[1], blobs[0][:-1] + b"!"])
    assert both.is_refused.tolist() == [False, True]
    larger = desk.receive([(0, 0)], [blob_of(update_of({8: [1, 1]}, 9))])
    wider = desk.receive([(0, 0)], [blob_of(update_of({0: [1, 1, 1]}, ITEMS, 3))])
    for seen, told in ((both, "checksum"), (larger, "of 9 items of width 2 does not fit the table, 6 × 2"),
                       (wider, "of 6 items of width 3")):  # fmt: skip
        assert seen.is_refused[-1]
        (error,) = seen.errors.values()
        assert isinstance(error, CodecError)
        assert told in str(error)
    assert len(desk.shelf) == 1  # the one that fits


class Boundless:
    """Somebody else's codec, who does not look at what it decodes: rows as they are in memory."""

    def decode(self, blob):
        rows = np.frombuffer(blob, np.float32).reshape(-1, WIDTH)
        return ItemUpdate(np.arange(len(rows), dtype=np.int32), rows, ITEMS)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_decodes_to_no_number_is_refused_and_the_others_are_not(value):
    blobs = [np.full((2, WIDTH), one, np.float32).tobytes() for one in (3e38, value)]
    names = [(0, 0), (1, 0)]
    desk = Desk(Boundless(), ITEMS, WIDTH)
    seen = desk.receive(names, blobs)
    assert (seen.is_refused.tolist(), seen.errors) == ([False, True], {})
    assert seen.lengths[0] == pytest.approx(6e38)  # no f32 overflows
    assert len(desk.shelf) == 1
    unmeasured = Desk(Boundless(), ITEMS, WIDTH, measures=False).receive(names, blobs)
    assert (unmeasured.is_refused.tolist(), unmeasured.lengths[0]) == ([False, True], 0)
    careless = Desk(Boundless(), ITEMS, WIDTH, measures=False, checks=False)
    assert not careless.receive(names, blobs).is_refused.any()
    assert not np.isfinite(folded(careless, 0, Shares.of([Share(1, 0, 1.0)])).rows).any()


def test_rows_are_added_without_a_copy_of_the_table(blobs):
    found = folded(filled(blobs, 100), 0, Shares.of([Share(0, 7, 1.0)]))
    assert found.rows.shape == (2, WIDTH)
    assert found.rows.dtype == np.float32


def test_blobs_of_a_batch_that_finds_no_room_are_kept_and_decoded_again(update_of):
    codec = sparse_codec()
    batch = Blobs.of([blob_of(update_of(rows, ITEMS), codec) for rows in SENT])
    names = [(client, 7) for client in range(len(SENT))]
    shares = Shares.of([Share(3, 7, 0.3), Share(0, 7, 0.7)])
    found = []
    for room in (0, 1_000):
        desk = Desk(codec, ITEMS, WIDTH, room)
        desk.receive(names, batch)
        kept = desk.shelf.state(0, 1)
        assert [type(one) for one in kept.values()] == [bytes if room == 0 else ItemUpdate] * len(SENT)
        found.append(folded(desk, 0, shares))
        assert len(desk.shelf) == 2
    assert found[0].rows.tobytes() == found[1].rows.tobytes()
    assert found[0].ids.tolist() == found[1].ids.tolist()


def test_what_is_added_up_makes_room(blobs):
    desk = Desk(sparse_codec(), ITEMS, WIDTH, 8)
    desk.receive([(0, 7), (1, 7)], blobs[:2])  # 6 floats
    folded(desk, 0, Shares.of([Share(1, 7, 1.0), Share(0, 7, 1.0)]))
    desk.receive([(3, 7)], [blobs[3]])  # 4 floats
    assert isinstance(desk.shelf.state(0, 1)[3, 7], ItemUpdate)
