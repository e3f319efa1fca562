"""The dense downlink: bytes of a real blob, a view that nobody can write, and each view retired once."""

import numpy as np
import pytest

from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.dense import DenseCodec
from fedras_ray.config import codecs as configs
from fedras_ray.server.downlink import Delivery, DenseDownlink
from fedras_ray.streams import Purpose, stream
from tests.server.deliveries import sent

ITEMS, WIDTH = 9, 4


def table(seed=1):
    rows = stream(seed, Purpose.ITEM_TABLE).standard_normal((ITEMS, WIDTH)).astype(np.float32)
    rows[3] = 0  # a row that a codec may leave out
    return rows


def by_hand(dtype, rows):
    """The blob of a whole table and what it decodes to."""
    codec = DenseCodec(configs.DenseCodec(dtype=dtype))
    update = ItemUpdate(np.arange(ITEMS, dtype=np.int32), rows.copy(), ITEMS)
    blob = codec.encode(Outgoing(update, lambda: stream(0, Purpose.DOWNLINK)))
    decoded, view = codec.decode(blob), np.zeros_like(rows)
    view[decoded.item_ids] = decoded.rows
    return blob, view


def downlink(dtype="f32"):
    return DenseDownlink(configs.DenseDownlink(dtype=dtype), seed=5)


@pytest.mark.parametrize("dtype", ["f32", "f16"])
def test_every_client_downloads_as_many_bytes_as_a_real_blob_has(dtype):
    link = downlink(dtype)
    link.publish(0, table())
    blob, _ = by_hand(dtype, table())
    assert [sent(link, client) for client in (0, 7)] == [Delivery(0, len(blob))] * 2
    assert len(blob) > ITEMS * WIDTH * {"f32": 4, "f16": 2}[dtype]


def test_in_f32_the_view_is_the_table_bit_for_bit():
    rows = table()
    rows[0] = np.array([1e-45, -1e38, np.pi, -0.0], dtype=np.float32)
    view = downlink().publish(0, rows)[0]
    assert view.dtype == np.float32
    assert view.tobytes() == rows.tobytes()


def test_in_f16_the_view_is_what_a_client_decodes():
    view = downlink("f16").publish(0, table())[0]
    np.testing.assert_array_equal(view, by_hand("f16", table())[1])
    assert (view != table()).any()
    np.testing.assert_allclose(view, table(), rtol=1e-3)


@pytest.mark.parametrize("dtype", ["f32", "f16"])
def test_a_view_is_read_only_and_apart_from_the_servers_table(dtype):
    rows = table()
    view = downlink(dtype).publish(0, rows)[0]
    before = view.copy()
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1
    rows += 1  # the server goes on: its table is still its own, and the view stays
    np.testing.assert_array_equal(view, before)


def test_a_version_makes_one_new_view_that_all_are_sent_and_rank_with_from_then_on():
    link = downlink()
    for version in (0, 1, 2):
        assert list(link.publish(version, table(version))) == [version]
        assert sent(link, 3).view == version
        assert link.views(np.array([4, 5, 6])).tolist() == [version]


def test_each_superseded_view_is_retired_exactly_once_and_the_newest_never():
    link, retired = downlink(), []
    assert link.retired() == []
    for version in range(6):
        link.publish(version, table(version))
        if version != 2:  # asked late: nothing is lost
            retired.append(link.retired())
            assert link.retired() == []
    assert retired == [[], [0], [1, 2], [3], [4]]
