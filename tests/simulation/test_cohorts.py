"""A round that is counted with arrays is the round that is counted event by event."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.cohorts import is_undisturbed
from fedras_ray.errors import FleetError
from fedras_ray.executor import SerialExecutor
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.population import population_of
from fedras_ray.records import EndRecord, Fate, TurnRecord
from fedras_ray.simulation import Simulation
from fedras_ray.trace import KeptTrace
from tests.simulation.worlds import NETWORKS, SCHEDULES, world

SYNC = SCHEDULES["sync"]
WORLDS = {
    "plain": [],
    "weighted by samples": ["server.client_weight=samples", "server.staleness.kind=polynomial"],
    "touched rows": ["downlink.kind=lattice", "downlink.rows=touched", "downlink.step=0.01"],
    "whole lattice": ["downlink.kind=lattice", "downlink.step=0.01"],
    "lanes": ["downlink.kind=lanes", "downlink.count=2", "downlink.codec.kind=dense"],
    "straggler-aware": ["schedule.policy=straggler-aware", "schedule.versions=8"],
    "utility": ["selection.kind=utility", "schedule.versions=8"],
    "adaptive actions": ["codec.actions.kind=adaptive"],
    "damaged": ["faults.flip=0.4", "faults.flipped_bits=3", "schedule.versions=8"],
    "all damaged at times": ["faults.flip=0.9", "schedule.clients_per_version=2", "schedule.versions=6"],
    "poisoned": ["faults.poison=0.3", "server.aggregate.kind=trimmed-mean"],
    "equal devices": ["fleet.kind=homogeneous"],
}


def lived(experiment, dataset, together):
    trace = KeptTrace()
    simulation = Simulation(experiment, population_of(dataset), SerialExecutor(experiment, dataset), trace)
    assert simulation.together
    simulation.together = together
    records = list(simulation.run())
    return records, trace.kept


@pytest.mark.parametrize("name", WORLDS)
def test_records_and_trace_are_the_same_both_ways(name):
    experiment, dataset = world(*SYNC, *WORLDS[name])
    quick, slow = (lived(experiment, dataset, together) for together in (True, False))
    assert quick == slow
    ends = [one for one in quick[0] if isinstance(one, EndRecord)]
    assert [one.versions for one in ends] == [experiment.schedule.versions]
    fates = {one.fate for one in quick[0] if isinstance(one, TurnRecord)}
    assert fates == ({Fate.USED, Fate.REFUSED} if "damaged" in name else {Fate.USED})


@pytest.mark.parametrize("schedule", sorted(set(SCHEDULES) - {"sync"}))
def test_where_turns_disturb_each_other_they_are_counted_one_by_one(schedule):
    assert not is_undisturbed(world(*SCHEDULES[schedule])[0])


@pytest.mark.parametrize("network", NETWORKS)
def test_so_they_are_where_the_network_changes(network):
    assert is_undisturbed(world(*SYNC, *NETWORKS[network])[0]) == (network == "calm")


@pytest.mark.parametrize("fault", ["duplicate", "reorder"])
def test_so_they_are_where_uploads_come_later_or_twice(fault):
    assert not is_undisturbed(world(*SYNC, f"faults.{fault}=0.1")[0])


def test_so_they_are_where_the_weight_of_an_update_hangs_on_what_it_says():
    assert not is_undisturbed(world(*SYNC, "server.defence.clip.kind=median")[0])


devices = st.tuples(st.floats(1e-9, 1e3), st.floats(1e-2, 1e9), st.floats(1e-2, 1e9), st.floats(0, 5))


@given(st.lists(st.tuples(devices, st.integers(0, 10**6)), min_size=1, max_size=9))
def test_a_step_takes_many_devices_as_long_as_each(drawn):
    fleet = Fleet(*np.array([one for one, _ in drawn]).T.copy(), np.zeros(len(drawn), np.int8), ("all",))
    clients, counts = np.arange(len(drawn)), np.array([count for _, count in drawn])
    for one, each in (
        (fleet.download_ns, fleet.each_download_ns),
        (fleet.upload_ns, fleet.each_upload_ns),
        (fleet.train_ns, fleet.each_train_ns),
    ):
        assert _told(lambda f=each: f(clients, counts).tolist()) == _told(
            lambda f=one: [*map(f, clients, counts)]
        )


def _told(result):
    try:
        return result()
    except FleetError as error:
        return str(error)
