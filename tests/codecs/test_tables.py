"""One pass over a table's bits finds what several passes over its floats do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fedras_ray.codecs.floats import largest_magnitude
from fedras_ray.errors import CodecError
from fedras_ray.kernels import tables

FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 1e-45])
TABLES = arrays.arrays(np.float32, st.tuples(st.integers(0, 6), st.integers(1, 5)), elements=FLOATS)


@given(TABLES)
def test_marked_rows_are_those_with_a_value_in_them(table):
    found = tables.marked_rows(table.view(np.uint32))
    assert found.tolist() == np.flatnonzero(table.any(axis=1)).tolist()
    assert found.dtype == np.int32


@given(TABLES)
def test_the_largest_magnitude_is_that_of_the_floats(table):
    if not np.isfinite(table).all():
        with pytest.raises(CodecError, match="not finite"):
            largest_magnitude(table)
    else:
        assert largest_magnitude(table) == np.abs(table).max(initial=0)
