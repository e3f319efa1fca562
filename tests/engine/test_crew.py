"""Threads share work in whole pieces, and whoever shares it, the same comes of it."""

import os
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray import crew as crews
from fedras_ray.config import build
from fedras_ray.crew import Crew, cores
from fedras_ray.data import load
from fedras_ray.errors import ClientError
from fedras_ray.executor import SerialExecutor
from fedras_ray.models.build import build_model
from fedras_ray.population import population_of
from fedras_ray.records import EndRecord
from fedras_ray.simulation import simulate
from fedras_ray.site import Site
from fedras_ray.training.local import LocalTraining
from tests.conftest import SCHEDULES, SMALL

SETTINGS = {
    "as it is": [],
    "gains": ["codec.kind=gain-shape"],
    "rows": ["codec.kind=sparse"],
    "one by one": ["codec.kind=topk", "codec.share=0.5"],
    "in batches": ["training.batch_size=8"],
    "what was not said": ["feedback.kind=residual"],
    "noise": ["privacy.kind=gaussian", "privacy.clip=0.5", "privacy.noise_multiplier=0.1"],
    "damage": ["faults.flip=0.3"],
    "measured": ["server.defence.clip.kind=median"],
    "all of them": ["server.aggregate.kind=median"],
    "requests": ["downlink.kind=lattice", "downlink.rows=touched", "downlink.step=0.05"],
}


@given(st.lists(st.integers(0, 40_000), max_size=12), st.integers(1, 6))
def test_shares_are_all_there_is_in_order_and_none_is_empty(loads, count):
    found = Crew(count).shares(loads)
    assert [one for its in found for one in range(len(loads))[its]] == [*range(len(loads))]
    assert len(found) <= count
    assert all(its.start < its.stop for its in found)


@given(st.lists(st.integers(1_000, 2_000), min_size=12, max_size=12), st.integers(2, 4))
def test_shares_are_even_up_to_a_piece(loads, count):
    found = Crew(count).shares(loads)
    assert len(found) == count
    assert all(abs(sum(loads[its]) - sum(loads) / count) <= max(loads) for its in found)


def test_little_work_is_not_shared():
    assert Crew(4).shares([crews.LEAST_LOAD // 2] * 3) == [slice(0, 3)]
    assert len(Crew(4).shares([crews.LEAST_LOAD] * 3)) == 3


@given(st.lists(st.integers(1_000, 2_000), min_size=12, max_size=12), st.integers(1, 4), st.integers(1, 12))
def test_there_are_more_shares_than_threads_where_that_is_asked_for(loads, count, least):
    found = Crew(count).shares(loads, least)
    assert [one for its in found for one in range(len(loads))[its]] == [*range(len(loads))]
    assert min(least, 6) <= len(found) <= max(least, count)


def test_who_is_done_takes_what_is_left():
    others_began, seen = threading.Event(), {}

    def work(part):
        seen.setdefault(threading.get_ident(), []).append(part)
        if part == 0:
            assert others_began.wait(30)
        if part == 4:
            others_began.set()
        return -part

    assert Crew(2).each(work, range(5)) == [0, -1, -2, -3, -4]
    assert seen[threading.get_ident()] == [0]
    assert sorted(seen.values()) == [[0], [1, 2, 3, 4]]


def test_parts_are_worked_on_at_once_and_told_in_their_order():
    both = threading.Barrier(2, timeout=30)

    def work(part):
        both.wait()
        return part, threading.get_ident()

    (one, here), (other, there) = Crew(2).each(work, ["one", "other"])
    assert (one, other) == ("one", "other")
    assert here == threading.get_ident() != there


def test_the_first_error_is_told_and_nobody_is_at_work_then():
    ended = []

    def work(part):
        if part == 2:
            time.sleep(0.1)
            ended.append(part)
        raise ClientError(part, 0, "as it was raised")

    with pytest.raises(ClientError, match="client 1 "):
        Crew(3).each(work, [1, 2, 3])
    assert ended == [2]


def test_a_forked_process_has_threads_of_its_own():
    crew = Crew(2)
    assert crew.each(abs, [-1, -2]) == [1, 2]
    crew._process = os.getpid() + 1  # as a fork finds it
    before = crew._others
    assert crew.each(abs, [-1, -2]) == [1, 2]
    assert crew._others is not before


def test_cores_are_those_that_the_process_may_use():
    assert cores(1) == 1
    assert 1 <= cores(1_000) <= (os.cpu_count() or 1)


@pytest.fixture
def shared(monkeypatch):
    """Have small work shared as well; how many parts there were, each time."""
    monkeypatch.setattr(crews, "LEAST_LOAD", 1)
    seen, each = [], Crew.each

    def watched(self, work, parts):
        seen.append(len(parts))
        return each(self, work, parts)

    monkeypatch.setattr(Crew, "each", watched)
    return seen


def records(settings):
    experiment = build({}, [*SMALL, *settings])
    dataset = load(experiment.data, experiment.seed)
    return [*simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset))]


@pytest.mark.parametrize("changed", SETTINGS)
@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_any_number_of_threads_gives_the_records_of_one(schedule, changed, shared):
    settings = [*SCHEDULES[schedule], *SETTINGS[changed]]
    alone = records([*settings, "execution.threads=1"])
    assert max(shared) == 1
    assert isinstance(alone[-1], EndRecord)
    for threads in (2, 3):
        shared.clear()
        assert records([*settings, f"execution.threads={threads}"]) == alone
        assert max(shared) == threads


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("changed", ["as it is", "rows", "in batches", "damage", "all of them"])
def test_what_many_change_is_trained_a_little_at_a_time(changed, threads, shared, monkeypatch):
    settings = [*SCHEDULES["sync"], *SETTINGS[changed], f"execution.threads={threads}"]
    together = records(settings)
    assert max(shared) == threads
    shared.clear()
    monkeypatch.setattr("fedras_ray.clients.MOST_FLOATS", 100)
    assert records(settings) == together
    assert max(shared) > 2


def test_rows_count_by_their_width_and_factors_by_their_epochs():
    experiment = build({}, [*SMALL, "training.epochs=3", "training.negatives=4", "model.width=8"])
    rows = build(experiment.model_dump(mode="json", exclude_none=True), ["training.weight_decay=0.1"])
    dataset, clients = load(experiment.data, experiment.seed), np.array([3, 5])
    samples = 5 * sum(len(dataset.train.of(int(one))) for one in clients)
    for asked, each in ((experiment, 3), (rows, 8)):
        training = LocalTraining(asked, dataset, build_model(asked.model))
        assert training.most_floats(clients) == samples * each


def test_where_company_changes_bits_one_thread_has_a_shard_after_the_other(monkeypatch, shared):
    experiment = build({}, [*SMALL, *SCHEDULES["sync"]])
    dataset = load(experiment.data, experiment.seed)
    monkeypatch.setattr("fedras_ray.training.local.LocalTraining.is_alike", property(lambda self: False))
    assert Site(experiment, dataset, range(5), 3)._crew.count == 1
