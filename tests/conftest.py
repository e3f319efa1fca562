"""What all tests share: profiles for hypothesis (`ci` is repeatable), and a small world to simulate."""

import os

import pytest
from hypothesis import HealthCheck, settings

from fedras_ray.config import build
from fedras_ray.data import load

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

SMALL = [
    "data.kind=synthetic",
    "data.users=150",
    "data.items=200",
    "data.mean_interactions=12",
    "model.width=8",
    "evaluation.every=2",
    "execution.shards=5",
]
DOWNLINKS = {
    "lanes": ["downlink.kind=lanes", "downlink.count=3"],
    "all lanes": ["downlink.kind=lanes", "downlink.count=2", "downlink.refresh=all", "downlink.history=2"],
    "lattice": ["downlink.kind=lattice", "downlink.step=0.05", "downlink.doublings=1"],
    "touched": ["downlink.kind=lattice", "downlink.rows=touched", "downlink.step=0.05"],
}
SCHEDULES = {
    "sync": ["schedule.versions=4", "schedule.clients_per_version=30"],
    "buffered": [
        "schedule.kind=buffered",
        "schedule.versions=8",
        "schedule.concurrency=40",
        "schedule.buffer=10",
    ],
}


@pytest.fixture(params=sorted(SCHEDULES))
def small(request):
    """An experiment and its data that run in about a second, under each schedule."""
    experiment = build({}, [*SMALL, *SCHEDULES[request.param]])
    return experiment, load(experiment.data, experiment.seed)
