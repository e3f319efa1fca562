"""Readings of the instruments: what is added up by columns is what the records say one by one."""

from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import EndRecord, EvaluationRecord, Fate, TurnRecord, VersionRecord
from fedras_ray.simulation import Simulation
from fedras_ray.stretches import DEVICE_CLASS, FATE, FIELDS, Stretch
from fedras_ray.telemetry import instruments as at
from fedras_ray.telemetry.instruments import INSTRUMENTS, STALENESS_BOUNDS
from fedras_ray.telemetry.tally import Tally
from tests.conftest import SCHEDULES, SMALL

CLASSES = tuple(f"class {number}" for number in range(20))
COUNT = st.integers(0, 2**40)
EXPERIMENT = build({}, ["codec.kind=topk", "schedule.versions=50"])


@st.composite
def rows(draw):
    row = dict.fromkeys(FIELDS, 0) | {name: draw(COUNT) for name in FIELDS if name.endswith("bytes")}
    at_ns = draw(st.lists(COUNT, min_size=4, max_size=4).map(sorted))
    row |= dict(
        zip(("dispatched_at_ns", "started_at_ns", "trained_at_ns", "arrived_at_ns"), at_ns, strict=True)
    )
    row["staleness"] = draw(st.integers(0, 400))
    row["device_class"], row["fate"] = (
        draw(st.integers(0, len(CLASSES) - 1)),
        draw(st.integers(0, len(Fate) - 1)),
    )
    return tuple(row[name] for name in FIELDS)


def told(pieces):
    tally, total = Tally(EXPERIMENT), Counter()
    for stretches in pieces:
        told = [Stretch(CLASSES) for _ in stretches]
        for stretch, turns in zip(told, stretches, strict=True):
            stretch.rows.extend(turns)
        tally.hear(told)
        total.update(tally.take())
    return total


def expected(turns):
    """The same, turn by turn."""
    total = Counter()
    for row in turns:
        turn = TurnRecord(*row)
        place = row[DEVICE_CLASS]
        name = CLASSES[place] if place < at.MOST_CLASSES else at.OTHER
        fate = Fate(row[FATE])
        total[at.TURNS, (name, fate.name.lower())] += 1
        total[at.SENT, ("up", name, "topk")] += turn.up_bytes
        total[at.SENT, ("down", name, "dense")] += turn.down_bytes
        total[at.DENSE, ("up",)] += turn.dense_up_bytes
        total[at.DENSE, ("down",)] += turn.dense_down_bytes
        total[at.WASTED, (name,)] += turn.duplicate_bytes if fate is Fate.USED else turn.up_bytes
        total[at.PHASE, (name, "download")] += (turn.started_at_ns - turn.dispatched_at_ns) / 1e9
        total[at.PHASE, (name, "train")] += (turn.trained_at_ns - turn.started_at_ns) / 1e9
        total[at.PHASE, (name, "upload")] += (turn.arrived_at_ns - turn.trained_at_ns) / 1e9
        if fate is Fate.USED:
            total[at.STALENESS_SUM, ()] += turn.staleness
            for bound in STALENESS_BOUNDS:
                total[at.STALENESS, (str(bound),)] += turn.staleness <= bound
            total[at.STALENESS, ("+Inf",)] += 1
    return {series: value for series, value in total.items() if value}


@given(st.lists(st.lists(st.lists(rows(), max_size=4), max_size=3), max_size=3))
def test_however_turns_are_told_the_counts_are_theirs(pieces):
    found, wanted = told(pieces), expected(chain(*chain(*pieces)))
    assert found.keys() == wanted.keys()
    for (instrument, labels), value in wanted.items():
        assert found[instrument, labels] == (
            pytest.approx(value, rel=1e-9) if instrument is at.PHASE else value
        ), (instrument.name, labels)


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_a_whole_run_comes_to_what_its_end_says(schedule):
    faults = ["network.dropout=0.1", "network.loss=0.05", "faults.flip=0.05", "faults.duplicate=0.1"]
    experiment = build({}, [*SMALL, *SCHEDULES[schedule], *faults])
    dataset = load(experiment.data, experiment.seed)
    simulation = Simulation(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
    tally, total, others = Tally(experiment), Counter(), []
    for _ in simulation.events():
        piece = simulation.tell()
        tally.hear([piece])
        total.update(tally.take())
        others += [record for _, record in piece.others]
    end = next(one for one in others if isinstance(one, EndRecord))

    def of(instrument, *first):
        return sum(
            value
            for (one, labels), value in total.items()
            if one is instrument and labels[: len(first)] == first
        )

    assert of(at.SENT, "up") == end.up_bytes
    assert of(at.SENT, "down") == end.down_bytes
    assert of(at.SENT, "down", at.EVERYONE) == end.closing_bytes
    assert of(at.DENSE, "up") == end.dense_up_bytes
    assert of(at.WASTED) == end.wasted_bytes > 0
    assert of(at.VERSIONS) == end.versions
    assert of(at.VIRTUAL) == pytest.approx(end.at_ns / 1e9, rel=1e-9)
    assert of(at.STALENESS, "+Inf") == end.client_updates
    assert of(at.STALENESS_SUM) == pytest.approx(end.mean_staleness * end.client_updates)
    used = sum(value for (one, labels), value in total.items() if one is at.TURNS and labels[1] == "used")
    assert used == end.client_updates
    last = [one for one in others if isinstance(one, EvaluationRecord)][-1]
    assert {labels[0]: value for (one, labels), value in tally.gauges.items() if one is at.QUALITY} == dict(
        last.quality
    )
    assert tally.gauges[at.PROGRESS, ()] == 1


def version(number, at_ns):
    zeros = dict.fromkeys(VersionRecord.__slots__, 0)
    return Stretch(CLASSES, others=[(0, VersionRecord(**zeros | {"version": number, "at_ns": at_ns}))])


def test_of_a_run_that_goes_on_time_begins_where_it_is_heard():
    tally = Tally(EXPERIMENT, goes_on=True)
    tally.hear([version(25, 10**12)])
    assert tally.take() == {(at.VERSIONS, ()): 1}
    assert tally.gauges[at.PROGRESS, ()] == 0.5
    tally.hear([version(26, 10**12 + 5 * 10**8)])
    assert tally.take()[at.VIRTUAL, ()] == 0.5


def test_names_follow_the_conventions_and_differ():
    assert len({one.name for one in INSTRUMENTS}) == len(INSTRUMENTS)
    for one in INSTRUMENTS:
        assert one.name.startswith("fedras_")
        assert one.name.endswith("_total") == (one.kind == "counter")
        assert one.about.endswith(".")
