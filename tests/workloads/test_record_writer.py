"""``records.parquet`` holds what was said, in order, whatever the pieces in which it was told."""

import pyarrow.parquet as pq
import pytest

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import UserQualityRecord, rows
from fedras_ray.simulation import Simulation
from tests.conftest import SCHEDULES, SMALL
from workloads import record_writer
from workloads.record_writer import RecordWriter
from workloads.sinks import listening


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("at_once", [1, 37, 10_000])
def test_rows_are_the_records(tmp_path, monkeypatch, schedule, at_once):
    monkeypatch.setattr(record_writer, "ROWS_PER_GROUP", 100)
    experiment = build({}, [*SMALL, *SCHEDULES[schedule]])
    dataset = load(experiment.data, experiment.seed)
    simulation = Simulation(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
    said = []
    with listening(RecordWriter(tmp_path)) as writer:
        for _ in simulation.events():
            if len(simulation.said) >= at_once:
                writer.write(told := simulation.tell())
                said += told
        writer.write(told := simulation.tell())
        said += told
    written = pq.read_table(tmp_path / "records.parquet").to_pylist()
    flat = rows(record for record in said if not isinstance(record, UserQualityRecord))
    assert len(written) == len(flat)
    for found, expected in zip(written, flat, strict=True):
        assert {name: value for name, value in found.items() if value is not None} == expected


def test_nothing_said_is_an_empty_file(tmp_path):
    with listening(RecordWriter(tmp_path)):
        pass
    assert pq.read_table(tmp_path / "records.parquet").num_rows == 0
