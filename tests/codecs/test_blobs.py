"""Blobs in one buffer are the same sequence of bytes as a list of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs import bits, taken
from fedras_ray.codecs.blobs import Blobs, lengths
from fedras_ray.codecs.envelopes import seal_each, unpack_each
from fedras_ray.codecs.positions import Form, layout
from fedras_ray.codecs.wire import FREE_FLOATS, HEADER_BYTES, CodecId
from fedras_ray.kernels import forms


@given(st.lists(st.binary(max_size=9), max_size=6))
def test_they_are_the_list_that_they_were_made_of(each):
    blobs = Blobs.of(each)
    assert Blobs.of(blobs) is blobs
    assert [*blobs] == each
    assert [*reversed(blobs)] == each[::-1]
    assert blobs[1:] == each[1:]
    assert blobs[::-2] == each[::-2]
    assert lengths(blobs).tolist() == lengths(each).tolist() == [*map(len, each)]
    assert all(type(one) is bytes for one in blobs)
    for place in (len(each), -len(each) - 1):
        with pytest.raises(IndexError):
            blobs[place]


@given(st.integers(1, 5_000).flatmap(lambda items: st.tuples(st.integers(0, items), st.just(items))))
def test_positions_take_the_shortest_form(both):
    count, item_count = both
    found = layout(count, item_count)
    as_set = bits.packed_bytes(item_count, 1)
    low = max(item_count // max(count, 1), 1).bit_length() - 1
    as_ids = bits.packed_bytes(count, low) + bits.packed_bytes(count + ((item_count - 1) >> low), 1)
    if count == item_count:
        assert found == (Form.ALL, 0, 0, 0)
    elif count == 0:
        assert found == (Form.BITMAP, 0, 0, 0)
    else:
        assert found.payload_bytes == min(as_set, as_ids)
        assert (found.form is Form.BITMAP) == (as_set <= as_ids)


SIZES = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), min_size=1, max_size=5)


@given(SIZES, st.sampled_from([5, FREE_FLOATS]))
def test_sections_of_many_are_as_long_as_those_of_each(updates, width):
    counts, sizes = np.array(updates).T
    layouts, found = forms.taken_each(counts, sizes, 900, width, FREE_FLOATS)
    for (n, k), one, length in zip(updates, layouts.tolist(), found.tolist(), strict=True):
        assert length == taken.packed_taken_bytes(n, width, 900, [k])
        assert one[1:] == [*layout(n, 900)[:3]]


@pytest.mark.parametrize(("rows", "is_lawful"), [(3, True), (1 << 27, False)])
def test_a_header_that_claims_more_than_there_can_be_is_not_believed(rows, is_lawful):
    blobs = Blobs(np.zeros(HEADER_BYTES + 1, np.uint8), np.array([0, HEADER_BYTES + 1]))
    seal_each(CodecId.ACTIONS, 1 << 27, 8, np.array([rows]), blobs)
    assert (unpack_each(blobs, CodecId.ACTIONS) is not None) == is_lawful
