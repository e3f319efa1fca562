"""What a run counts can be read where Prometheus reads it: at the metrics port of its node."""

import time
import urllib.request

import pytest

from actors.meter import Meter
from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import Simulation
from fedras_ray.telemetry.instruments import INSTRUMENTS
from tests.conftest import SCHEDULES, SMALL

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]
VERSIONS = "ray_fedras_versions_total"
LIMIT_S = 400  # Ray gathers every ten seconds
FAULTS = ["network.loss=0.1", "faults.flip=0.1"]


class Watched:
    """An actor that has run an experiment, and is still there."""

    def run(self, experiment, dataset):
        simulation = Simulation(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
        meter = Meter(experiment, lambda: (2, 0.25))
        with meter.showing():
            for _ in simulation.events():
                meter.hear(simulation.tell())
        return True


def scraped(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return [line for line in lines if line.startswith("ray_fedras_") and 'run="metered s1"' in line]


def values(lines):
    """By name; of a name with several series, one of them."""
    return {line.split("{")[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def test_every_instrument_is_exported_under_its_name(cluster):
    experiment = build({"name": "metered"}, [*SMALL, *SCHEDULES["buffered"], *FAULTS])
    watched = cluster.remote(Watched).options(num_cpus=0).remote()
    cluster.get(watched.run.remote(experiment, load(experiment.data, experiment.seed)))
    port = cluster.nodes()[0]["MetricsExportPort"]
    began_s, found = time.monotonic(), []
    while (
        VERSIONS not in values(found) or values(found)[VERSIONS] < 8
    ):  # what it was on the way may come first
        assert time.monotonic() - began_s < LIMIT_S, found
        time.sleep(1)
        found = scraped(port)
    assert values(found).keys() == {f"ray_{one.name}" for one in INSTRUMENTS}
    assert values(found)[VERSIONS] == 8
    assert values(found)["ray_fedras_pool_restarts_total"] == 2
    assert values(found)["ray_fedras_progress_ratio"] == 1
    cluster.kill(watched)
