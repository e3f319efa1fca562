"""Numbers as people read them say neither more nor less than there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.units import saving, share, size, span


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (36_644, "36.64 kB"), (1.5e9, "1.5 GB"), (2.5e12, "2.5 TB")],
)
def test_sizes_are_decimal(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (0.004, "0.00 s"),
        (0.54, "0.54 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
        (3 * 86_400 + 4 * 3600, "3 d 04 h"),
    ],
)
def test_spans_have_two_units_at_most(duration_s, text):
    assert span(duration_s) == text


@given(st.floats(-10, 1, exclude_max=True))
def test_less_than_all_is_never_shown_as_all(fraction):
    assert not share(fraction).startswith("100")


def test_all_is_all():
    assert share(1.0) == "100.00 %"


@given(st.floats(0, 1e15))
def test_no_size_is_written_with_an_exponent(count):
    assert "e" not in size(count)


def test_a_saving_is_in_words():
    assert saving(0.984) == "98.40 % less than dense f32"
    assert saving(-0.031) == "3.10 % more than dense f32"
    assert saving(0.0) == "as dense f32"
