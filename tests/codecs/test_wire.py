"""The envelope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs import wire
from fedras_ray.codecs.wire import CodecId
from fedras_ray.errors import CodecError

sizes = st.tuples(st.integers(0, wire.MOST_ITEMS), st.integers(1, 0xFFFF), st.integers(0, 60))


@given(st.sampled_from(CodecId), sizes, st.binary(max_size=50))
def test_frames_come_back(codec_id, size, body):
    item_count, width, rows = size
    rows = min(rows, item_count)
    blob = wire.pack(codec_id, item_count, width, rows, body)
    frame = wire.unpack(blob, codec_id)
    assert (frame.item_count, frame.width, frame.rows) == (item_count, width, rows)
    assert frame.body.take(len(body)) == body
    frame.body.finish()
    assert len(blob) == wire.HEADER_BYTES + len(body) == 18 + len(body)


@pytest.mark.parametrize(
    ("item_count", "width", "rows"),
    [(2**31, 1, 0), (5, 0, 5), (5, 65_536, 5), (5, 1, 6), (5, 1, -1), (2**60, 1, 1)],
)
def test_sizes_that_do_not_fit_are_refused(item_count, width, rows):
    with pytest.raises(CodecError, match="do not fit"):
        wire.pack(CodecId.DENSE_F32, item_count, width, rows, b"")


def test_a_body_must_be_read_to_its_end():
    body = wire.Body(memoryview(b"abc"))
    assert body.take(2) == b"ab"
    with pytest.raises(CodecError, match="1 bytes too many"):
        body.finish()
    with pytest.raises(CodecError, match="2 bytes expected at byte 2"):
        body.take(2)


def test_messages_say_what_is_wrong():
    blob = wire.pack(CodecId.ACTIONS, 9, 2, 3, b"body")
    with pytest.raises(CodecError, match="shorter than a header"):
        wire.unpack(blob[:17], CodecId.ACTIONS)
    with pytest.raises(CodecError, match="checksum"):
        wire.unpack(blob[:-1], CodecId.ACTIONS)
    with pytest.raises(CodecError, match="not a blob of version 1"):
        wire.unpack(b"PK" + blob[2:], CodecId.ACTIONS)
    with pytest.raises(CodecError, match="written by codec 5, not by sparse_f32"):
        wire.unpack(blob, CodecId.SPARSE_F32)
    greedy = wire.pack(CodecId.ACTIONS, 2**30, 64, 2**30, b"body")
    with pytest.raises(CodecError, match="22 bytes claim to hold 1073741824 rows"):
        wire.unpack(greedy, CodecId.ACTIONS)


@pytest.mark.parametrize("outside", [128, 200, 255])
def test_numbers_from_128_are_for_codecs_from_outside(outside):
    blob = wire.pack(outside, 9, 2, 3, b"body")
    assert wire.unpack(blob, outside).body.take(4) == b"body"
    with pytest.raises(CodecError, match=f"written by codec {outside}, not by codec 130"):
        wire.unpack(blob, 130)
    with pytest.raises(CodecError, match=f"written by codec {outside}, not by dense_f32"):
        wire.unpack(blob, CodecId.DENSE_F32)


@pytest.mark.parametrize("nobodys", [-1, 0, 127, 256])
def test_other_numbers_are_nobodys(nobodys):
    with pytest.raises(CodecError, match="take 128 to 255"):
        wire.pack(nobodys, 9, 2, 3, b"")
    with pytest.raises(CodecError):
        wire.unpack(wire.pack(CodecId.ACTIONS, 9, 2, 3, b""), nobodys)


def test_the_project_keeps_to_its_own_numbers():
    assert max(CodecId) < min(wire.OUTSIDE)


def test_the_law_of_size():
    assert wire.obeys_size_law(wire.FREE_FLOATS, 1, 20)
    assert not wire.obeys_size_law(wire.FREE_FLOATS + 1, 1, 20)
    assert wire.obeys_size_law(8 * 10**6, 1000, 10**6)
