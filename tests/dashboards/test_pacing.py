"""K over time by device class: the means are those of the records, and the figure is there where K varies."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.courses import BINS, FEWEST, MOST_CLASSES, course
from dashboards.report import render

TURN = st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 64), st.integers(1, 10**12))


def table(turns):
    names, actions, at_ns = zip(*turns, strict=True) if turns else ((), (), ())
    columns = {
        "device_class": pa.array(names, pa.string()),
        "actions": pa.array(actions, pa.int64()),
        "arrived_at_ns": pa.array(at_ns, pa.int64()),
    }
    return pa.table(columns)


@given(st.lists(TURN, max_size=80))
def test_the_means_are_those_of_the_uploads(turns):
    found = course(table(turns))
    uploads = [turn for turn in turns if turn[1] > 0]
    if len({actions for _, actions, _ in uploads}) < 2:
        assert found is None
        return
    end = max(at_ns for *_, at_ns in uploads)
    bins = {}
    for name, actions, at_ns in uploads:
        edges = np.linspace(0.0, end / 1e9, BINS + 1)
        place = min(BINS - 1, int(np.searchsorted(edges, at_ns / 1e9, side="right")) - 1)
        bins.setdefault((name, place), []).append(actions)
    expected = {where: np.mean(some) for where, some in bins.items() if len(some) >= FEWEST}
    if found is None:
        assert not expected
        return
    assert len(found.classes) == min(MOST_CLASSES, len({name for name, _ in expected}))
    for name, means in zip(found.classes, found.mean, strict=True):
        mine = {place: mean for (one, place), mean in expected.items() if one == name}
        assert set(np.flatnonzero(np.isfinite(means)).tolist()) == set(mine)
        assert all(means[place] == pytest.approx(mean) for place, mean in mine.items())


@pytest.mark.parametrize(("codec", "drawn"), [("adaptive", True), ("actions", False), ("dense", False)])
def test_it_is_drawn_where_k_varies(make_run, codec, drawn):
    page = render([make_run("a", codec, "buffered")])
    assert ("K over time, by device class" in page) == drawn
    if drawn:
        assert "phone, high: " in page
        assert "phone &lt;low&gt;" in page
