"""A simulation that goes on from a checkpoint says what the undisturbed one says, whatever is configured."""

from itertools import product

import numpy as np
import pytest

from fedras_ray.checkpoints import put_back, settled, take
from fedras_ray.errors import SnapshotError
from fedras_ray.snapshots.sealed import opened
from tests.checkpoints.likeness import differences
from tests.checkpoints.stopped import begun, events_of, gone_on, through_json, told
from tests.conftest import DOWNLINKS
from tests.simulation.test_determinism import ScrambledExecutor
from tests.simulation.worlds import FAULTS, NETWORKS, SCHEDULES, world

WAYS_DOWN = [
    *DOWNLINKS.values(),
    [],
    [*DOWNLINKS["lattice"], "downlink.axes=principal"],
    [*DOWNLINKS["touched"], "downlink.axes=principal", "downlink.closing_step=0.01"],
]
CLIENTS = [
    ["schedule.policy=straggler-aware", "codec.actions.kind=adaptive", "selection.kind=utility"],
    [
        "feedback.kind=residual",
        "server.optimizer.kind=adam",
        "server.staleness.kind=polynomial",
        "server.defence.clip.kind=median",
    ],
    ["codec.kind=gain-shape", "selection.kind=class", "server.optimizer.momentum=0.5"],
    ["codec.kind=sparse", "selection.kind=available", "server.client_weight=samples"],
]
COMBINED = [
    (schedule, network, WAYS_DOWN[number % len(WAYS_DOWN)], CLIENTS[number % len(CLIENTS)])
    for number, (schedule, network) in enumerate(product(SCHEDULES, NETWORKS))
]


def settings(schedule, network, down, clients):
    """What fits: no deadline that leaves everyone, adaptive actions with their own options."""
    chosen = [*SCHEDULES[schedule], *NETWORKS[network], *down]
    if "codec.kind=gain-shape" in clients or "codec.kind=sparse" in clients:
        codec, *others = clients
        return [codec, *chosen, *others]
    return [*chosen, *clients, *(["pacing.leave=false"] if "selection.kind=utility" in clients else [])]


@pytest.mark.parametrize("combined", COMBINED, ids=lambda one: f"{one[0]}, {one[1]}")
def test_wherever_a_run_is_stopped_it_goes_on_as_if_it_was_not(combined):
    experiment, dataset = world(*settings(*combined))
    whole = told(begun(experiment, dataset)[0])
    place = np.random.default_rng(COMBINED.index(combined)).integers(1, events_of(experiment, dataset))
    simulation, executor = begun(experiment, dataset)
    said = told(simulation, place)
    fresh, its_executor = gone_on(experiment, dataset, simulation, executor)
    assert differences(simulation, fresh) == []
    at_work = simulation.at_work()
    assert [one.result() for one in executor.states(at_work)] == [
        one.result() for one in its_executor.states(at_work)
    ]
    ours, theirs = executor.views(), its_executor.views()
    assert list(ours) == list(theirs)
    for one, other in zip(ours.values(), theirs.values(), strict=True):
        assert differences(one.result(), other.result()) == []
    said += told(fresh)
    assert said == whole


@pytest.mark.parametrize(("schedule", "events"), [("sync", 3), ("async", 30), ("tiered", 30)])
def test_shards_go_on_elsewhere_however_they_are_spread(schedule, events):
    experiment, dataset = world(*SCHEDULES[schedule], "feedback.kind=residual", *DOWNLINKS["touched"])
    whole = told(begun(experiment, dataset)[0])
    first, executor = begun(experiment, dataset)
    said = told(first, events)
    spread = ScrambledExecutor(experiment, dataset, 1)  # a site for each shard
    second, executor = gone_on(experiment, dataset, first, executor, spread)
    said += told(second, events)
    third, _ = gone_on(experiment, dataset, second, executor)
    assert said + told(third) == whole


@pytest.mark.parametrize("schedule", ["buffered", "sync-deadline"])
@pytest.mark.parametrize("place", [20, 60])
def test_what_goes_wrong_on_purpose_goes_on_as_well(schedule, place):
    experiment, dataset = world(*SCHEDULES[schedule], *NETWORKS["narrow and shaky"], *FAULTS)
    whole = told(begun(experiment, dataset)[0])
    simulation, executor = begun(experiment, dataset)
    said = told(simulation, place)
    fresh, _ = gone_on(experiment, dataset, simulation, executor)
    assert differences(simulation, fresh) == []
    assert said + told(fresh) == whole


def test_a_checkpoint_does_not_change_when_its_simulation_goes_on():
    experiment, dataset = world(*SCHEDULES["buffered"])
    simulation, executor = begun(experiment, dataset)
    said = told(simulation, 40)
    taken = take(simulation, executor)
    rest = told(simulation)
    fresh, its_executor = begun(experiment, dataset)
    put_back(through_json(settled(taken)), fresh, its_executor)
    assert told(fresh) == rest
    assert said + rest == told(begun(experiment, dataset)[0])


@pytest.mark.parametrize(("schedule", "some"), [("sync", False), ("buffered", True)])
def test_what_clients_were_before_a_turn_is_kept_of_those_at_work(schedule, some):
    experiment, dataset = world(*SCHEDULES[schedule], "evaluation.every=1000")
    simulation, executor = begun(experiment, dataset)
    events = simulation.events()
    while simulation.version < 3:
        next(events)
    began = {client for state in executor.site.states() for client in state.clients.began.tolist()}
    taken = take(simulation, executor)
    kept = {
        client
        for part in taken.shards
        for one in opened(part.result())
        for client in one.clients.began.tolist()
    }
    assert kept == began & simulation.at_work() < began
    assert bool(kept) is some


def test_another_kind_of_simulation_is_refused():
    simulation, executor = begun(*world(*SCHEDULES["sync"]))
    told(simulation, 5)
    other = world(*SCHEDULES["sync"], *DOWNLINKS["lattice"])
    with pytest.raises(SnapshotError, match="the state of a DenseDownlink does not fit WholeDownlink"):
        gone_on(*other, simulation, executor)
