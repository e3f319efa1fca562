"""Damage on purpose: what the server sees of it, that all bytes are counted, and that it is repeatable."""

import numpy as np
import pytest

from fedras_ray.config import build
from fedras_ray.errors import ClientError
from fedras_ray.executor import SerialExecutor
from fedras_ray.faults import Faults
from fedras_ray.population import population_of
from fedras_ray.records import Fate, TurnRecord
from fedras_ray.simulation import Simulation, simulate
from fedras_ray.trace import KeptTrace, Kind
from tests.simulation.test_determinism import ScrambledExecutor
from tests.simulation.traces import plain_world
from tests.simulation.worlds import FAULTS, NETWORKS, SCHEDULES, Watch, world

POISONED = ["faults.poison=0.2", "faults.poison_kind=not-a-number"]


def run(experiment, dataset, executor=None):
    """The records, looked at one by one, and the events."""
    watch, trace = Watch(experiment), KeptTrace()
    executor = executor or SerialExecutor(experiment, dataset)
    records = list(Simulation(experiment, population_of(dataset), executor, trace).run())
    for record in records:
        watch.see(record)
    return records, watch, trace.kept


@pytest.mark.parametrize("network", ["calm", "narrow and shaky"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_byte_of_what_goes_wrong_is_in_one_record(schedule, network):
    experiment, dataset = world(*SCHEDULES[schedule], *NETWORKS[network], *FAULTS, *POISONED)
    _, watch, happened = run(experiment, dataset)
    assert watch.refused > 0 < watch.duplicates
    refused = [turn for turn in watch.turns if turn.fate is Fate.REFUSED]
    assert len(refused) == sum(one.kind is Kind.REFUSED for one in happened)
    copies = [one.byte_count for one in happened if one.kind is Kind.DUPLICATE]
    assert sorted(copies) == sorted(turn.duplicate_bytes for turn in watch.turns if turn.duplicate_bytes)


@pytest.mark.parametrize("schedule", ["sync", "buffered"])
def test_real_order_and_place_change_nothing(schedule):
    experiment, dataset = world(*SCHEDULES[schedule], *NETWORKS["shaky"], *FAULTS, *POISONED)
    records, _, _ = run(experiment, dataset)
    assert run(experiment, dataset, ScrambledExecutor(experiment, dataset, 1))[0] == records


def test_who_means_harm_is_refused_in_all_turns_and_nobody_else():
    experiment, dataset = world(*SCHEDULES["buffered"], *POISONED)
    faults = Faults(experiment.faults, experiment.seed)
    _, watch, _ = run(experiment, dataset)
    for turn in watch.turns:
        assert (turn.fate is Fate.REFUSED) == faults.means_harm(turn.client)


def test_a_refused_upload_is_known_when_it_arrives_and_a_copy_counts_for_bytes_alone(tmp_path):
    """By hand, see `traces`: client 0 needs 2 s down, 2 s of training and 2 s up."""
    settings = ["schedule.versions=2", "schedule.clients_per_version=3", "faults.duplicate=0.999"]
    experiment, dataset = plain_world(tmp_path, *settings)
    records, watch, happened = run(experiment, dataset)
    clean = run(*plain_world(tmp_path, *settings[:2]))
    arrived = [one for one in happened if one.kind is not Kind.DUPLICATE]
    assert arrived == clean[2]  # whatever the copies do, nothing else changes
    assert len(happened) - len(arrived) == 6
    assert [turn.up_bytes for turn in watch.turns] == [100] * 6
    assert (records[-1].up_bytes, records[-1].wasted_bytes, records[-1].duplicate_bytes) == (600, 300, 300)
    for copy in happened:
        if copy.kind is Kind.DUPLICATE:
            first = next(one for one in arrived if one[2:4] == copy[2:4] and one.kind is Kind.ARRIVED)
            assert copy.at_ns > first.at_ns


def test_what_is_held_up_arrives_later_by_what_was_drawn_and_others_overtake_it():
    settings = [*SCHEDULES["buffered"], "faults.reorder=0.5", "faults.delay_s=0.5"]
    experiment, dataset = world(*settings)
    faults = Faults(experiment.faults, experiment.seed)
    _, watch, _ = run(experiment, dataset)
    swapped = 0
    for turn in watch.turns:
        held_up = faults.held_up_ns(turn.client, turn.turn)
        swapped += any(
            turn.arrived_at_ns - held_up < other.arrived_at_ns < turn.arrived_at_ns for other in watch.turns
        )
    assert swapped > 0
    held = [turn for turn in watch.turns if faults.held_up_ns(turn.client, turn.turn)]
    assert 0 < len(held) < len(watch.turns)


def test_a_flipped_bit_is_always_found_and_no_other_blob_is_touched():
    experiment, dataset = world(*SCHEDULES["sync"], "faults.flip=0.3")
    _, watch, _ = run(experiment, dataset)
    faults = Faults(experiment.faults, experiment.seed)
    for turn in watch.turns:
        blob = bytes(turn.up_bytes)
        (came,) = faults.in_flight([(turn.client, turn.turn)], [blob])
        bits = np.unpackbits(np.frombuffer(came, np.uint8)).sum()
        assert bits == (turn.fate is Fate.REFUSED)
        assert (came is blob) == (bits == 0)


def test_the_server_does_not_learn_of_a_loss_that_it_could_not_read():
    """A refused turn is no update: the version it would have been in is made of the others."""
    experiment, dataset = world(*SCHEDULES["sync"], "faults.flip=0.5")
    _, watch, _ = run(experiment, dataset)
    for version in watch.versions:
        mine = [turn for turn in watch.turns if turn.version == version.version - 1]
        assert version.updates == sum(turn.fate is Fate.USED for turn in mine) < len(mine)


def test_a_scaled_update_is_what_the_server_gets():
    settings = ["schedule.versions=1", "schedule.clients_per_version=12", "codec.kind=sparse"]
    plain, dataset = world(*settings)
    poisoned = build(plain.model_dump(mode="json", exclude_none=True),
                     ["faults.poison=0.3", "faults.poison_factor=-1000"])  # fmt: skip
    harmful = Faults(poisoned.faults, poisoned.seed).means_harm
    seen = []
    for experiment in (plain, poisoned):
        executor = SerialExecutor(experiment, dataset)
        list(simulate(experiment, population_of(dataset), Keeping(executor, seen)))
    (one, other), codec = seen, SerialExecutor(plain, dataset).site.desk
    assert one.keys() == other.keys()
    assert {harmful(client) for client in one} == {True, False}
    for client, blob in one.items():
        factor = np.float32(-1000 if harmful(client) else 1)
        np.testing.assert_array_equal(codec.opened(other[client]).rows, factor * codec.opened(blob).rows)


class Keeping:
    """An executor whose clients' blobs can be looked at afterwards."""

    def __init__(self, executor, seen):
        self._executor, blobs = executor, {}
        seen.append(blobs)
        train = executor.site.clients.train

        def keep(assignments):
            sent = train(assignments)
            blobs.update(zip(assignments.column("client").tolist(), sent.blobs, strict=True))
            return sent

        executor.site.clients.train = keep

    def __getattr__(self, name):
        return getattr(self._executor, name)


def test_honest_bytes_that_cannot_be_read_still_end_the_run(monkeypatch):
    """With faults too, a codec that is broken is not mistaken for a network that is."""
    experiment, dataset = world(*SCHEDULES["sync"], "faults.flip=0.01")
    executor = SerialExecutor(experiment, dataset)
    train = executor.site.clients.train

    def broken(assignments):
        sent = train(assignments)
        return sent._replace(blobs=[blob[:-1] for blob in sent.blobs])

    monkeypatch.setattr(executor.site.clients, "train", broken)
    with pytest.raises(ClientError, match="what it sent cannot be decoded"):
        run(experiment, dataset, executor)


def test_rates_of_zero_draw_nothing(monkeypatch):
    experiment, dataset = world(*SCHEDULES["buffered"])
    clean = run(experiment, dataset)[0]
    drawn = []
    monkeypatch.setattr("fedras_ray.faults.stream", lambda *address: drawn.append(address))
    assert run(experiment, dataset)[0] == clean
    assert drawn == []
    assert all(one.duplicate_bytes == 0 for one in clean if isinstance(one, TurnRecord))
