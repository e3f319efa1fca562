"""The first 200 events of every schedule on a larger fleet are those that were stored, to the nanosecond.

`tests.simulation.write_traces` writes them, by hand and never from here. The codec is `sparse`, whose sizes
hang on which rows are touched and on no float.
"""

import csv
from pathlib import Path

import pytest

from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import Simulation
from fedras_ray.trace import KeptTrace
from tests.simulation.worlds import NETWORKS, SCHEDULES, world

GOLDEN = Path(__file__).parents[1] / "golden" / "traces"
COLUMNS = ("at_ns", "kind", "client", "version", "byte_count")
EVENTS = 200
LARGER = ["data.users=300", "codec.kind=sparse", "evaluation.every=1000"]
HARSH = NETWORKS["narrow and shaky"]
NAMES = ("sync", "sync-deadline", "over-selection", "buffered", "async", "tiered")
TRACES = {name: SCHEDULES[name] for name in NAMES}
TRACES |= {f"{name}-harsh": [*TRACES[name], *HARSH] for name in ("sync-deadline", "buffered", "tiered")}


def opening(*settings):
    """The first events of a run, as rows of a CSV."""
    asked = [one for one in settings if not one.startswith("schedule.versions")]
    experiment, dataset = world(*LARGER, *asked, "schedule.versions=500")
    trace = KeptTrace()
    simulation = Simulation(experiment, population_of(dataset), SerialExecutor(experiment, dataset), trace)
    records = simulation.run()
    while trace.events < EVENTS:
        next(records)
    return [
        (str(at_ns), kind.name.lower(), str(client), str(version), str(byte_count))
        for at_ns, kind, client, version, byte_count in trace.kept[:EVENTS]
    ]


def test_every_schedule_has_a_golden_trace_and_no_other_is_left():
    assert {path.stem for path in GOLDEN.glob("*.csv")} == set(TRACES)


@pytest.mark.parametrize("name", TRACES)
def test_events_are_those_that_were_stored(name):
    path = GOLDEN / f"{name}.csv"
    if not path.exists():
        pytest.fail(f"{path} is missing; python -m tests.simulation.write_traces writes it")
    with path.open(encoding="utf-8", newline="") as file:
        stored = [tuple(row) for row in csv.reader(file)]
    assert stored[0] == COLUMNS
    assert len(stored) == 1 + EVENTS
    assert opening(*TRACES[name]) == stored[1:]
