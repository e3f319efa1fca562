"""What a run says is kept before a checkpoint counts on it, and told in few messages."""

import itertools
from types import SimpleNamespace

import pytest

from actors.keeping import Cadence, stretches
from fedras_ray.executor import Done
from fedras_ray.records import VersionRecord
from fedras_ray.stretches import Stretch
from tests.checkpoints.stopped import begun, told
from tests.conftest import SCHEDULES
from tests.simulation.worlds import world

VERSIONS = 12


class Diary:
    """A `Keeper`, and how one is kept, that notes what is given to it, in order."""

    def __init__(self):
        self.said_before = []  # records, of each checkpoint that was taken
        self.versions = []
        self.records = []
        self.versions_when_told = []  # that were taken
        self.closed = None

    def begin(self):
        return self

    def said(self, stretch):
        self.records += list(stretch)

    def take(self, taken):
        self.versions.append(taken.version)
        self.said_before.append(len(self.records))

    def wait(self, limit_s):
        return True

    def troubles(self):
        return []

    def close(self, is_over):
        self.closed = is_over


@pytest.fixture(scope="module")
def run():
    rounds = [f"schedule.versions={VERSIONS}", "schedule.clients_per_version=10"]
    return world(*rounds, "checkpoint.every_versions=1", "checkpoint.every_minutes=0")


def test_a_checkpoint_of_every_version_is_no_message_of_every_version(run):
    diary, (simulation, executor) = Diary(), begun(*run)
    said = []
    for one in stretches(simulation, executor, Cadence(run[0]), diary):
        said.append(one)
        diary.versions_when_told.append(len(diary.versions))
    expected = told(begun(*run)[0])
    assert diary.versions == list(range(1, VERSIONS))
    assert diary.closed is True
    assert diary.records == list(itertools.chain(*said)) == expected
    assert all(isinstance(one, Stretch) for one in said)
    assert len(said) < VERSIONS / 2
    assert diary.versions_when_told[0] == 0, "who listens begins before there is anything to go on from"
    for count, version in zip(diary.said_before, diary.versions, strict=True):
        assert sum(type(one).__name__ == "VersionRecord" for one in expected[:count]) == version


@pytest.mark.parametrize("round_s", [0.2, 0.7])
def test_each_version_of_slow_rounds_is_told_before_the_next_one_is_waited_for(run, round_s, monkeypatch):
    """A run that is waited for looks as far as it is."""
    now_s, heard, heard_when_waited = [0.0], [], []

    class Slow(Done):
        def result(self):
            heard_when_waited.append(len(heard))
            now_s[0] += round_s
            return super().result()

    monkeypatch.setattr("actors.keeping.time", SimpleNamespace(monotonic=lambda: now_s[0]))
    simulation, executor = begun(*run)
    rounds = executor.round
    executor.round = lambda work: [Slow(one.result()) for one in rounds(work)]
    for said in stretches(simulation, executor, Cadence(run[0])):
        heard += [record for record in said if isinstance(record, VersionRecord)]
    assert heard_when_waited == list(range(VERSIONS))


def test_the_last_version_is_told_before_its_ranking_is_waited_for(monkeypatch):
    """On a clock that stands still, so that nothing else is told before the end."""
    experiment, dataset = world(*SCHEDULES["buffered"], "evaluation.every=1000")
    heard, heard_when_waited = [], []

    class Slow(Done):
        def result(self):
            heard_when_waited.append(len(heard))
            return super().result()

    monkeypatch.setattr("actors.keeping.time", SimpleNamespace(monotonic=lambda: 0.0))
    simulation, executor = begun(experiment, dataset)
    evaluate = executor.evaluate
    executor.evaluate = lambda *given: Slow(evaluate(*given).result())
    for said in stretches(simulation, executor, Cadence(experiment)):
        heard += [record for record in said if isinstance(record, VersionRecord)]
    assert heard_when_waited[-1] == len(heard) == experiment.schedule.versions


def test_what_was_taken_is_kept_though_the_run_breaks_right_after_it(run):
    diary, (simulation, executor) = Diary(), begun(*run)
    executor.round = executor.train = broken_after(3, executor.round)
    with pytest.raises(MemoryError):
        list(stretches(simulation, executor, Cadence(run[0]), diary))
    assert diary.versions == [1, 2, 3]
    assert diary.closed is False


def broken_after(times, method):
    left = iter(range(times))

    def call(work):
        if next(left, None) is None:
            raise MemoryError
        return method(work)

    return call
