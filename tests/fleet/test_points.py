"""Poisson points that can be asked for in any order."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.fleet.points import Points
from fedras_ray.streams import Purpose

MEAN_NS = 1_000_000


def points_of(group=8, per_block=3, blocks_kept=1_000, seed=1):
    return Points(
        seed,
        Purpose.LINK,
        MEAN_NS,
        lambda rng, count: rng.random(count),
        group=group,
        per_block=per_block,
        blocks_kept=blocks_kept,
    )


POINTS = {"alone": points_of(1, 16), "in groups": points_of(8, 3), "sparse": points_of(5, 1)}
every = pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
CLIENTS, INSTANTS = st.integers(0, 100), st.integers(0, 200 * MEAN_NS)


@every
@given(CLIENTS, INSTANTS)
def test_last_next_and_holding_are_one_story(points, client, at):
    last, following = points.last(client, at), points.next(client, at)
    assert last.at_ns <= at < following.at_ns
    assert points.next(client, last.at_ns).at_ns in (following.at_ns, last.at_ns)
    assert points.last(client, following.at_ns) == following
    assert points.last(client, following.at_ns - 1) == last
    mark, until = points.holding(client, at)
    assert mark == last.mark
    assert at < until <= following.at_ns


@every
@given(st.lists(CLIENTS, max_size=30), INSTANTS)
def test_many_clients_at_once_are_each_alone(points, clients, at):
    instants, marks = points.last_of(np.array(clients, dtype=np.int64), at)
    assert list(zip(instants.tolist(), marks.tolist(), strict=True)) == [points.last(c, at) for c in clients]


@given(st.lists(st.tuples(CLIENTS, INSTANTS), min_size=1, max_size=20))
def test_what_is_in_memory_changes_nothing(questions):
    forgetful = points_of(blocks_kept=1)
    assert [forgetful.last(*question) for question in questions] == [
        POINTS["in groups"].last(*question) for question in questions
    ]


@every
def test_gaps_are_exponential_from_before_the_start_on(points):
    gaps, first, marks = [], [], []
    for client in range(300):
        at = points.last(client, 0).at_ns
        first.append(-at if at < 0 else 0)
        chain = [points.next(client, 0)]
        for _ in range(40):
            chain.append(points.next(client, chain[-1].at_ns))
        gaps += [two.at_ns - one.at_ns for one, two in pairwise(chain)]
        marks += [point.mark for point in chain]
        first.append(chain[0].at_ns)
    for values in (np.array(gaps), np.array(first)):
        error = 4 / np.sqrt(len(values))
        assert values.mean() / MEAN_NS == pytest.approx(1, abs=error)
        assert values.std() / MEAN_NS == pytest.approx(1, abs=2 * error)
    assert np.mean(marks) == pytest.approx(0.5, abs=0.02)
    assert abs(np.corrcoef(marks[:-1], marks[1:])[0, 1]) < 0.04
