"""Integers as bytes, and rows as integers: exact where they must be, near the entropy where they can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.grid import pack_steps, pack_whole, rounded, unpack_steps
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.kernels import steps as coding

integers = arrays.arrays(
    np.int32,
    st.tuples(st.integers(0, 30), st.integers(1, 9)),
    elements=st.one_of(
        st.sampled_from([0, 0, 0, 1, -1, 2, 14, 15, -15, 16]), st.integers(-coding.LARGEST, coding.LARGEST)
    ),
)


@given(integers)
def test_integers_come_back_and_every_byte_was_needed(steps):
    octets = coding.encode(steps)
    back, exact = coding.decode(octets, *steps.shape)
    assert exact
    assert (back == steps).all()
    assert not coding.decode(np.append(octets, np.uint8(0)), *steps.shape)[1]
    assert not coding.decode(octets[:-1], *steps.shape)[1]


@given(st.binary(max_size=200), st.integers(0, 20), st.integers(1, 9))
def test_noise_ends_in_integers_of_the_law_or_in_a_refusal(noise, rows, width):
    steps, exact = coding.decode(np.frombuffer(noise, np.uint8), rows, width)
    assert steps.shape == (rows, width)
    assert np.abs(steps).max(initial=0) <= coding.LARGEST
    if exact:
        back, again = coding.decode(coding.encode(steps), rows, width)
        assert again
        assert (back == steps).all()


@pytest.mark.parametrize("scale", [0.1, 0.3, 1, 5])
def test_a_table_costs_about_its_entropy(scale):
    """Independent integers of one distribution have their entropy for a floor; learning costs a little."""
    draw = np.random.default_rng(3)
    steps = np.rint(scale * draw.standard_normal((1_500, 32))).astype(np.int32)
    _, counts = np.unique(steps, return_counts=True)
    entropy_bytes = -(counts * np.log2(counts / steps.size)).sum() / 8
    assert len(coding.encode(steps)) <= 1.04 * entropy_bytes + 64


def test_busy_rows_among_quiet_ones_cost_less_than_their_entropy_as_one_crowd():
    draw = np.random.default_rng(4)
    scales = draw.lognormal(-1, 1.2, (1_500, 1))
    steps = np.rint(scales * draw.standard_normal((1_500, 32))).astype(np.int32)
    _, counts = np.unique(steps, return_counts=True)
    entropy_bytes = -(counts * np.log2(counts / steps.size)).sum() / 8
    assert len(coding.encode(steps)) < 0.85 * entropy_bytes


@given(
    arrays.arrays(np.float32, (7, 3), elements=st.floats(-100, 100, width=32)),
    st.floats(0.01, 10),
    st.floats(0, 0.49),
)
def test_rounding_is_off_by_half_a_step_and_the_dead_zone(values, step, dead_zone):
    lost = values - step * rounded(values, step, dead_zone)
    assert np.abs(lost).max() <= (0.5 + dead_zone) * step * (1 + 1e-5)
    assert (rounded(-values, step, dead_zone) == -rounded(values, step, dead_zone)).all()


@given(integers, st.floats(2.0**-100, 2.0**100, width=32))
def test_a_blob_of_steps_is_exact(steps, step):
    ids = np.arange(len(steps), dtype=np.int32) * 2
    kept = steps.any(axis=1)
    found_ids, found, found_step, items = unpack_steps(pack_steps(ids, steps, step, 60))
    assert (found_ids == ids[kept]).all()
    assert (found == steps[kept]).all()
    assert (found_step, items) == (step, 60)


@given(integers, st.integers(0, 12))
def test_a_whole_table_goes_in_the_largest_unit_that_it_has(steps, doublings):
    table = steps << doublings
    ids, found, step, items = unpack_steps(pack_whole(table, 0.5))
    assert (ids == np.flatnonzero(table.any(axis=1))).all()
    assert items == len(table)
    unit = round(step / 0.5)
    assert (found * unit == table[ids]).all()
    assert unit == (np.gcd.reduce(table, axis=None) & -np.gcd.reduce(table, axis=None) or 1)


def test_what_is_too_large_is_refused_after_it_went_into_units():
    table = np.full((3, 2), 2 * coding.LARGEST, np.int32)
    assert unpack_steps(pack_whole(table, 1.0))[2] == 2.0
    table[1, 1] += 1
    with pytest.raises(CodecError, match="step is too small"):
        pack_whole(table, 1.0)


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(CodecError, match="step"):
        pack_steps(np.zeros(1, np.int32), np.ones((1, 1), np.int32), step, 1)


def test_integers_beyond_the_largest_are_refused():
    with pytest.raises(CodecError, match="step is too small"):
        pack_steps(np.zeros(1, np.int32), np.full((1, 1), coding.LARGEST + 1, np.int32), 1.0, 1)


@pytest.mark.parametrize("step", [0.25, 0.5, 1.0])
def test_a_smaller_step_loses_less_and_costs_more(rank_one, step):
    one = rank_one(300, 900, 16)
    finer, coarser = (build_codec(configs.GridCodec(kind="grid", step=s)) for s in (step, 2 * step))
    blobs = finer.encode(one), coarser.encode(one)
    assert len(blobs[0]) > len(blobs[1])
    assert _lost(finer.decode(blobs[0]), one.update) < _lost(coarser.decode(blobs[1]), one.update)


def _lost(back, update):
    table = np.zeros((update.item_count, update.width))
    table[update.item_ids] = update.rows
    table[back.item_ids] -= back.rows
    return float(np.square(table).sum())
