"""Bytes, time and fate: what the records of a run must add up to."""

import itertools

import numpy as np
import pytest

from fedras_ray.codecs.build import build_codec
from fedras_ray.config import build
from fedras_ray.errors import ConfigError
from fedras_ray.evaluation.sample import standard_error
from fedras_ray.executor import SerialExecutor
from fedras_ray.fleet.build import build_fleet
from fedras_ray.population import population_of
from fedras_ray.records import (
    EndRecord,
    EvaluationRecord,
    Fate,
    TurnRecord,
    UserQualityRecord,
    VersionRecord,
)
from fedras_ray.simulation import simulate
from tests.conftest import DOWNLINKS
from tests.simulation.worlds import most_in_flight


class Spy(SerialExecutor):
    """The serial executor, keeping every blob that left a client."""

    def __init__(self, *args):
        super().__init__(*args)
        self.blobs = []
        self.site.desk = Listening(self.site.desk, self.blobs)


class Listening:
    """A desk that somebody looks over the shoulder of."""

    def __init__(self, desk, blobs):
        self._desk, self._blobs = desk, blobs

    def look_into(self, blobs):
        self._blobs += blobs
        return self._desk.look_into(blobs)

    def __getattr__(self, name):
        return getattr(self._desk, name)


@pytest.fixture
def observed(small):
    experiment, dataset = small
    spy = Spy(experiment, dataset)
    return experiment, dataset, spy, list(simulate(experiment, population_of(dataset), spy))


def of(records, kind):
    return [record for record in records if isinstance(record, kind)]


def test_every_byte_sent_is_the_length_of_a_blob_and_in_exactly_one_record(observed):
    _, _, spy, records = observed
    turns, end = of(records, TurnRecord), records[-1]
    assert sorted(turn.up_bytes for turn in turns) == sorted(map(len, spy.blobs))
    assert end.up_bytes == sum(map(len, spy.blobs))
    assert end.down_bytes == sum(turn.down_bytes for turn in turns)
    assert end.wasted_bytes == sum(turn.up_bytes for turn in turns if turn.fate is Fate.WASTED)


def test_used_and_wasted_turns_are_all_turns(observed):
    experiment, _, _, records = observed
    turns, end = of(records, TurnRecord), records[-1]
    used = [turn for turn in turns if turn.fate is Fate.USED]
    assert end.client_updates == len(used) == sum(version.updates for version in of(records, VersionRecord))
    late = 0 if experiment.schedule.kind == "sync" else experiment.schedule.concurrency - 1
    assert len(turns) - len(used) <= late
    if experiment.schedule.kind == "buffered":
        assert end.wasted_bytes > 0  # those still out when the last version was made


def test_time_never_runs_back(observed):
    _, _, _, records = observed
    at = [record.arrived_at_ns if isinstance(record, TurnRecord) else record.at_ns for record in records[:-1]
          if not isinstance(record, EvaluationRecord | UserQualityRecord)]  # fmt: skip
    assert at == sorted(at)


def test_a_turn_takes_what_the_device_and_its_links_take(observed):
    experiment, dataset, _, records = observed
    fleet = build_fleet(experiment.fleet, dataset.user_count, experiment.seed)
    for turn in of(records, TurnRecord):
        assert turn.started_at_ns - turn.dispatched_at_ns == fleet.download_ns(turn.client, turn.down_bytes)
        assert turn.trained_at_ns - turn.started_at_ns == fleet.train_ns(turn.client, turn.samples)
        assert turn.arrived_at_ns - turn.trained_at_ns == fleet.upload_ns(turn.client, turn.up_bytes)


def test_the_predicted_samples_are_those_trained_on(observed):
    experiment, dataset, _, records = observed
    factor = (1 + experiment.training.negatives) * experiment.training.epochs
    positives = dataset.train.counts()
    assert all(turn.samples == positives[turn.client] * factor for turn in of(records, TurnRecord))


def test_a_client_has_one_turn_at_a_time(observed):
    _, _, _, records = observed
    turns = of(records, TurnRecord)
    for client in {turn.client for turn in turns}:
        mine = sorted((turn for turn in turns if turn.client == client), key=lambda turn: turn.turn)
        assert [turn.turn for turn in mine] == list(range(len(mine)))
        assert all(
            before.arrived_at_ns <= after.dispatched_at_ns for before, after in itertools.pairwise(mine)
        )


def test_in_flight_never_exceeds_what_the_schedule_allows(observed):
    experiment, _, _, records = observed
    schedule = experiment.schedule
    most = schedule.clients_per_version if schedule.kind == "sync" else schedule.concurrency
    turns = of(records, TurnRecord)
    assert most_in_flight(turns) <= most


def test_sync_waits_for_everyone_and_is_never_stale(observed):
    experiment, _, _, records = observed
    turns = of(records, TurnRecord)
    if experiment.schedule.kind == "sync":
        assert {turn.staleness for turn in turns} == {0}
        for version in of(records, VersionRecord):
            arrivals = [turn.arrived_at_ns for turn in turns if turn.version == version.version - 1]
            assert version.at_ns == max(arrivals)
    else:
        assert max(turn.staleness for turn in turns) > 0


def test_every_version_asked_for_is_evaluated_and_the_last_one_too(observed):
    experiment, _, _, records = observed
    versions = [record.version for record in of(records, EvaluationRecord)]
    every, last = experiment.evaluation.every, experiment.schedule.versions
    assert versions == sorted({*range(0, last + 1, every), last})
    assert of(records, EndRecord)[0].versions == last


def test_the_server_learns_what_it_decoded(observed):
    experiment, _, spy, records = observed
    codec = build_codec(experiment.codec)
    turns = of(records, TurnRecord)
    assert sorted(codec.decode(blob).actions for blob in spy.blobs) == sorted(turn.actions for turn in turns)


def test_more_clients_than_there_are_is_a_clear_error(small):
    experiment, dataset = small
    many = build(experiment.model_dump(mode="json", exclude_none=True),
                 ["schedule.kind=sync", "schedule.clients_per_version=1000"])  # fmt: skip
    with pytest.raises(ConfigError, match="1000 clients at once, but only 150"):
        list(simulate(many, population_of(dataset), SerialExecutor(many, dataset)))


def test_the_last_evaluation_is_also_there_user_by_user(observed):
    experiment, dataset, _, records = observed
    (each,) = of(records, UserQualityRecord)
    last = of(records, EvaluationRecord)[-1]
    assert each.version == last.version == experiment.schedule.versions
    assert each.users.tolist() == np.flatnonzero(dataset.test.counts() > 0).tolist()
    assert [name for name, _ in each.quality] == [name for name, _ in last.quality]
    assert all(values.dtype == np.float32 for _, values in each.quality)
    means = [float(values.mean(dtype=np.float64)) for _, values in each.quality]
    assert means == pytest.approx([value for _, value in last.quality], abs=1e-7)


@pytest.mark.parametrize("downlink", DOWNLINKS)
def test_whatever_comes_down_every_byte_is_in_one_record_and_takes_its_time(small, downlink):
    experiment, dataset = build(small[0].model_dump(mode="json"), DOWNLINKS[downlink]), small[1]
    spy = Spy(experiment, dataset)
    records = list(simulate(experiment, population_of(dataset), spy))
    turns, end = of(records, TurnRecord), records[-1]
    fleet = build_fleet(experiment.fleet, dataset.user_count, experiment.seed)
    assert end.up_bytes == sum(turn.up_bytes for turn in turns)
    assert sorted(turn.up_bytes - turn.request_bytes for turn in turns) == sorted(map(len, spy.blobs))
    assert end.down_bytes == end.closing_bytes + sum(turn.down_bytes for turn in turns)
    assert end.catch_up_bytes == sum(turn.catch_up_bytes for turn in turns) <= end.down_bytes
    assert 0 < end.snapshot_bytes == sum(turn.snapshot_bytes for turn in turns) <= end.down_bytes
    assert (
        (end.closing_bytes > 0) == (downlink == "touched") == (min(turn.request_bytes for turn in turns) > 0)
    )
    assert end.down_bytes < end.dense_down_bytes
    for turn in turns:
        asked = fleet.upload_ns(turn.client, turn.request_bytes) if turn.request_bytes else 0
        waited = asked + fleet.download_ns(turn.client, turn.down_bytes)
        assert turn.started_at_ns - turn.dispatched_at_ns == waited


def asking(experiment, dataset, users, shards=None):
    """The records of evaluations of a run that asks so many users."""
    settings = [f"evaluation.users={users}"] if users else []
    settings += [f"execution.shards={shards}"] if shards else []
    asked = build(experiment.model_dump(mode="json", exclude_none=True), settings)
    records = list(simulate(asked, population_of(dataset), SerialExecutor(asked, dataset)))
    return of(records, EvaluationRecord), of(records, UserQualityRecord)[0], records[-1]


def test_a_sample_of_users_is_a_part_of_everyone_with_its_errors(small):
    """Asking fewer changes nothing else; whom to ask is the same for other shards."""
    experiment, dataset = small
    everyone, each, end = asking(experiment, dataset, None)
    some, own, same_end = asking(experiment, dataset, 40)
    assert same_end == end
    assert {(one.users, one.tested) for one in some} == {(40, everyone[0].users)}
    assert all(one.errors == () and one.users == one.tested for one in everyone)
    places = np.searchsorted(each.users, own.users)
    for (name, values), (_, among_all), (_, mean), (_, error) in zip(
        own.quality, each.quality, some[-1].quality, some[-1].errors, strict=True
    ):
        np.testing.assert_array_equal(values, among_all[places], err_msg=name)
        assert mean == pytest.approx(values.mean(dtype=np.float64), abs=1e-7)
        assert error == pytest.approx(standard_error(values.astype(np.float64), some[-1].tested), abs=1e-7)
    _, others, _ = asking(experiment, dataset, 40, shards=3)
    np.testing.assert_array_equal(others.users, own.users)
