"""K over time by device class: the means are those of the records, and the figure is there where K varies."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.courses import BINS, MOST_CLASSES, course
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


@given(st.lists(TURN, max_size=60))
def test_the_means_are_those_of_the_uploads(turns):
    found = course(table(turns))
    uploads = [turn for turn in turns if turn[1] > 0]
    if len({actions for _, actions, _ in uploads}) < 2:
        assert found is None
        return
    of = {name: sum(turn[0] == name for turn in uploads) for name in {turn[0] for turn in uploads}}
    assert len(found.classes) <= MOST_CLASSES
    assert min(of[name] for name in found.classes if name in of) >= max(
        [often for name, often in of.items() if name not in found.classes], default=0
    )
    end = max(at_ns for *_, at_ns in uploads)
    for name, means in zip(found.classes, found.mean, strict=True):
        mine = [(actions, at_ns) for one, actions, at_ns in uploads if one == name]
        assert np.isfinite(means).sum() <= min(BINS, len(mine))
        low, high = min(mine)[0], max(mine)[0]
        assert all(low - 1e-9 <= mean <= high + 1e-9 for mean in means[np.isfinite(means)])
        if len(mine) == 1:
            place = min(BINS - 1, int(mine[0][1] / end * BINS))
            assert means[max(0, place - 1) : place + 2][
                np.isfinite(means[max(0, place - 1) : place + 2])
            ] == [mine[0][0]]


@pytest.mark.parametrize(("codec", "drawn"), [("adaptive", True), ("actions", False), ("dense", False)])
def test_it_is_drawn_where_k_varies(make_run, codec, drawn):
    page = render([make_run("a", codec, "buffered")])
    assert ("K over time, by device class" in page) == drawn
    if drawn:
        assert "phone, high: " in page
        assert "phone &lt;low&gt;" in page
