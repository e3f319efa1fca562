"""One message with the table that everyone ranks with: near enough, the same for all, and short."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.grid import pack_steps, rounded
from fedras_ray.config import build
from fedras_ray.config.fleet import FedScaleFleet
from fedras_ray.errors import CodecError
from fedras_ray.fleet.build import build_fleet
from fedras_ray.server.closing import pack_table, unpack_table
from fedras_ray.server.downlinks import build_downlink
from fedras_ray.server.eras import principal_axes
from fedras_ray.streams import Purpose, stream


def table_of(items=60, width=4, spread=1.0, seed=3):
    rng = stream(seed, Purpose.ITEM_TABLE)
    mixed = rng.standard_normal((width, width))
    return (spread * rng.standard_normal((items, width)) @ mixed).astype(np.float32)


@given(
    items=st.integers(1, 50),
    width=st.integers(1, 6),
    step=st.floats(1e-3, 3.0),
    turned=st.booleans(),
    seed=st.integers(0, 99),
)
def test_no_value_is_further_than_half_a_step_along_each_axis(items, width, step, turned, seed):
    table = table_of(items, width, 2.0, seed)
    axes = principal_axes(table) if turned else b""
    closed = unpack_table(pack_table(table, axes, step), turned, table.shape)
    slack = 2e-3 * np.abs(table).max() * width if turned else 0.0  # axes in f16 are nearly orthonormal
    assert np.linalg.norm(closed - table, axis=1).max() <= np.sqrt(width) * step / 2 + slack + 1e-5
    assert closed.dtype == np.float32


def test_two_layers_are_shorter_than_one_at_a_fine_step_and_say_the_same():
    table, step = table_of(2_000, 16), 2.0**-8
    blobs = pack_table(table, b"", step)
    steps = rounded(table, step, 0.0)
    single = pack_steps(np.arange(2_000, dtype=np.int32), steps, step, 2_000)
    assert len(blobs) == 2
    assert sum(map(len, blobs)) < 0.95 * len(single)
    assert np.array_equal(unpack_table(blobs, False, table.shape), (steps * step).astype(np.float32))


def test_a_coarse_step_needs_one_layer():
    table = table_of()
    (blob,) = pack_table(table, b"", 4.0)
    assert np.array_equal(unpack_table([blob], False, table.shape), 4 * np.round(table / 4))


def test_rows_of_zeros_are_zeros():
    table = table_of()
    table[::2] = 0
    closed = unpack_table(pack_table(table, b"", 0.01), False, table.shape)
    assert not closed[::2].any()
    assert closed[1::2].any(axis=1).all()


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_what_is_damaged_or_missing_is_refused(cut):
    table = table_of()
    blobs = pack_table(table, principal_axes(table), 0.001)
    assert len(blobs) == 3
    damaged = [blob[:-1] if place == cut else blob for place, blob in enumerate(blobs)]
    with pytest.raises(CodecError):
        unpack_table(damaged, True, table.shape)


def test_layers_of_another_table_and_too_many_are_refused():
    table = table_of()
    blobs = pack_table(table, b"", 0.001)
    with pytest.raises(CodecError, match="for a table of 59 × 4"):
        unpack_table(blobs, False, (59, 4))
    for wrong in ([], [*blobs, blobs[0]]):
        with pytest.raises(CodecError, match="one or two layers"):
            unpack_table(wrong, False, table.shape)


def test_with_a_step_of_its_own_everyone_is_sent_the_same_and_nothing_that_they_lack():
    experiment = build(
        {"downlink": {"kind": "lattice", "rows": "touched", "step": 0.5, "closing_step": 0.125}},
        ["model.width=4", "schedule.versions=3"],
    )
    link = build_downlink(experiment, build_fleet(FedScaleFleet(), 9, 1), np.full(9, 10))
    tables = [table_of(seed=seed) for seed in range(4)]
    for version, table in enumerate(tables):
        assert not link.closing
        (view,) = link.publish(version, table).values()
    assert np.abs(view - tables[-1]).max() < 0.125 / 2 * np.sqrt(4) + 0.01
    assert not view.flags.writeable
    assert link.views(np.arange(9)).tolist() == [3]
    assert link.closing_bytes(np.array([1, 4])) == 2 * sum(map(len, link.closing))
    assert unpack_table(link.closing, True, (60, 4)).tobytes() == view.tobytes()
