"""The laws over shapes and values that hypothesis finds, for every codec."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedras_ray.codecs.base import leaves_out_rows
from tests.codecs.conftest import send

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@st.composite
def updates(draw):
    """Any finite rows of any few of any number of items."""
    item_count = draw(st.integers(0, 40) | st.just(2**31 - 1))
    ids = draw(st.sets(st.integers(0, max(item_count - 1, 0)), max_size=min(item_count, 12)))
    shape = (len(ids), draw(st.integers(1, 9)))
    return send(sorted(ids), draw(arrays(np.float32, shape, elements=finite)), item_count)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(updates())
def test_any_update_of_finite_rows_comes_back_finite_and_with_its_ids(codec, codecs, one):
    if _dense(codec) and one.update.item_count > 40:
        return  # a table of 2**31 rows
    blob = codec.encode(one)
    back = codec.decode(blob)
    said = one.update.rows.any(axis=1)
    assert blob == codec.encode(one)
    assert np.isfinite(back.rows).all()
    assert (back.width, back.item_count) == (one.update.width, one.update.item_count)
    assert set(back.item_ids) <= set(one.update.item_ids)
    if not leaves_out_rows(codec) and not _dense(codec):
        assert set(back.item_ids) >= set(one.update.item_ids[said])


def _dense(codec):
    return type(codec).__name__ == "DenseCodec"
