"""Many turns in one call are, bit for bit, what each of them is by itself."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config import build
from fedras_ray.config.client import MatrixFactorization, TrainingConfig
from fedras_ray.data.interactions import Dataset, from_pairs
from fedras_ray.data.samples import LabelledSamples
from fedras_ray.factors import Factors
from fedras_ray.kernels import drawing
from fedras_ray.models.base import RaggedModel
from fedras_ray.models.build import build_model
from fedras_ray.streams import Purpose, stream
from fedras_ray.training.cohort import ClientWork, train_cohort
from fedras_ray.training.given import given_samples
from fedras_ray.training.local import LocalTraining, Turns
from fedras_ray.training.ragged import Addresses, joined, sample_each, spawn_keys, train_each
from fedras_ray.training.sampling import local_samples

SEEDS = st.integers(0, 3) | st.integers(0, 2**32) | st.integers(0, 2**200)
NUMBERS = st.integers(0, 3) | st.integers(0, 2**31)
BOUNDS = st.sampled_from([1, 2, 3, 2**31, 2**31 + 1, 2**32 - 2, 2**32 - 1]) | st.integers(1, 2**32 - 1)
STREAMS = st.lists(st.tuples(NUMBERS, NUMBERS, BOUNDS, st.integers(0, 9)), min_size=1, max_size=4)


@given(SEEDS, st.sampled_from(Purpose), STREAMS)
def test_draws_are_numpys(seed, purpose, streams):
    clients, turns, bounds, counts = np.array(streams).T
    offsets = np.concatenate([[0], counts.cumsum()])
    keys = spawn_keys(purpose, clients, turns)
    drawn = drawing.below(drawing.entropy(seed), keys, bounds, offsets)
    for place, (client, turn, bound, count) in enumerate(streams):
        expected = stream(seed, purpose, client, turn).integers(0, bound, size=count)
        assert drawn[offsets[place] : offsets[place + 1]].tolist() == expected.tolist()


def test_draws_that_are_refused_again_and_again_are_numpys():
    bound = 2**31 + 1  # refuses half of what comes
    drawn = drawing.below(
        drawing.entropy(1),
        spawn_keys(Purpose.LOCAL_SAMPLING, [2], [3]),
        np.array([bound]),
        np.array([0, 5_000]),
    )
    expected = stream(1, Purpose.LOCAL_SAMPLING, 2, 3).integers(0, bound, size=5_000)
    np.testing.assert_array_equal(drawn, expected)


@st.composite
def populations(draw):
    """Some clients' positives in a catalogue, small or large; some have all items, some none."""
    item_count = draw(st.integers(1, 70) | st.just(3_000))
    own = st.sets(st.integers(0, item_count - 1), max_size=12)
    everything = st.just(set(range(min(item_count, 70))))
    clients = draw(st.lists(own | everything, min_size=1, max_size=5))
    pairs = [(client, item) for client, items in enumerate(clients) for item in items]
    users, items = np.array(pairs, np.int64).reshape(-1, 2).T
    return from_pairs(users, items, len(clients), item_count)


@given(populations(), st.integers(1, 4), st.integers(0, 9), st.data())
def test_samples_are_those_of_each_client_alone(train, negatives, turn, data):
    members = np.array(data.draw(st.permutations(range(train.user_count))), np.int64)
    turns = np.arange(len(members)) + turn
    found = sample_each(train, Addresses(5, members, turns), negatives)
    config = TrainingConfig(negatives=negatives, epochs=1)
    assert found.offsets[-1] == len(found.item_ids) == len(found.weight) == len(found.positive)
    for place, (client, its_turn) in enumerate(zip(members, turns, strict=True)):
        rng = stream(5, Purpose.LOCAL_SAMPLING, client, its_turn)
        alone = local_samples(train.of(client), train.item_count, config, rng)
        its = slice(found.offsets[place], found.offsets[place + 1])
        assert found.item_ids[its].tolist() == alone.item_ids.tolist()
        assert found.weight[its].tolist() == alone.steps[0].weight.tolist()
        assert found.positive[its].tolist() == alone.steps[0].positive.tolist()
        assert found.counts[place] == alone.sample_count


def many(item_count):
    """Clients with from none to all of the items."""
    draw = stream(1, Purpose.SYNTHETIC)
    sizes = [0, 1, 3, 20, item_count, 64, 65, 2]
    users = np.repeat(np.arange(len(sizes)), sizes)
    return from_pairs(
        users, np.concatenate([draw.permutation(item_count)[:size] for size in sizes]), len(sizes), item_count
    )


KINDS = [(0.0, False), (0.1, False), (0.0, True)]
CASES = [(*one, *kind) for *one, kind in itertools.product([1, 5, 32, 33], ["sum", "mean"], KINDS)]


@pytest.mark.parametrize(("width", "loss", "decay", "in_factors"), CASES)
def test_training_is_that_of_each_client_alone(width, loss, decay, in_factors):
    """With tables and numbers of epochs of their own."""
    config = TrainingConfig(negatives=2, weight_decay=decay, loss=loss)
    model, train, seed = build_model(MatrixFactorization(width=width)), many(90), 3
    assert isinstance(model, RaggedModel)
    tables = [model.initial_items(90, stream(version, Purpose.ITEM_TABLE)) for version in range(2)]
    clients, turns, table_of = np.arange(8), np.arange(8) + 2, np.arange(8) % 2
    epochs = np.array([1, 2, 3, 4, 1, 2, 3, 4])
    private = model.initial_private(8, stream(seed, Purpose.PRIVATE_STATE))
    untouched = private.copy()
    samples = sample_each(train, Addresses(seed, clients, turns), config.negatives)
    given = samples, tables, table_of, private, epochs, config
    found = train_each(model, *given, in_factors=in_factors)
    assert isinstance(found.delta, Factors) == in_factors
    work = []
    for client in range(8):
        rng = stream(seed, Purpose.LOCAL_SAMPLING, client, turns[client])
        alone = local_samples(train.of(client), 90, config, rng, int(epochs[client]))
        work.append(ClientWork(alone, tables[table_of[client]].take(alone.item_ids, axis=0), private[client]))
    expected = joined(work, train_cohort(model, work, config))
    for name in ("offsets", "item_ids", "rows", "private"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
    assert found.losses.tolist() == expected.losses.tolist()
    assert found.samples.tolist() == expected.samples.tolist()
    np.testing.assert_array_equal(private, untouched)
    assert np.abs(found.rows).max() > 1e-3, "the case says little"


SIZES = [0, 1, 3, 20, 30, 64, 65, 2]  # of which 0 to 8 are less than a batch


def brought(item_count):
    """Training positives and samples of eight clients, and the samples also repeat items."""
    draw = stream(1, Purpose.SYNTHETIC)
    positives = [draw.permutation(min(item_count, 30))[: min(size, 30)] for size in SIZES]
    users = np.repeat(np.arange(8), [len(one) for one in positives])
    train = from_pairs(users, np.concatenate(positives), 8, item_count)
    total = sum(SIZES)
    samples = LabelledSamples(
        np.cumsum([0, *SIZES]),
        draw.integers(0, item_count, total).astype(np.int32),
        draw.random(total) < 0.3,
    )
    nothing = from_pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), 8, item_count)
    return Dataset("brought", train, nothing, "made here", given=samples)


BATCHES = [
    {"samples": "given", "order": "given", "batch_size": 8},
    {"samples": "given", "order": "given", "batch_size": 8, "weight_decay": 0.1, "loss": "mean"},
    {"samples": "given", "order": "shuffled", "batch_size": 8},
    {"samples": "given", "batch_size": 0},
    {"batch_size": 8, "negatives": 2},
    {"batch_size": 64, "negatives": 2, "loss": "mean"},
]


@pytest.mark.parametrize("chosen", BATCHES)
@pytest.mark.parametrize("item_count", [40, 9_000])
def test_mini_batches_and_given_samples_are_those_of_each_client_alone(chosen, item_count):
    """With tables and numbers of epochs of their own, in a small catalogue and in one worth sorting for."""
    file = {"kind": "file", "path": "nowhere", "user": "user", "item": "item", "label": "label"}
    experiment = build({"data": file, "model": {"width": 5}, "training": {**chosen, "item_rate": 0.2}})
    model, dataset = build_model(experiment.model), brought(item_count)
    views = {view: model.initial_items(item_count, stream(view, Purpose.ITEM_TABLE)) for view in (0, 3)}
    clients = np.arange(8)
    of = Turns(clients, clients + 2, np.where(clients % 2, 3, 0), np.array([1, 2, 3, 2, 1, 2, 3, 4]))
    private = model.initial_private(8, stream(3, Purpose.PRIVATE_STATE))
    training = LocalTraining(experiment, dataset, model)
    found = training.train(of, views, private)
    work = [
        ClientWork(samples, views[view].take(samples.item_ids, axis=0), own)
        for samples, view, own in zip(alone(experiment, dataset, of), of.views.tolist(), private, strict=True)
    ]
    expected = joined(work, train_cohort(model, work, experiment.training))
    for name in ("offsets", "item_ids", "rows", "private"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
    assert found.losses.tolist() == expected.losses.tolist()
    assert found.samples.tolist() == expected.samples.tolist()
    assert np.abs(found.rows).max() > 1e-4, "the case says little"
    rows = training.rows(of.clients, of.turns)
    assert [ids.tolist() for ids in rows] == [one.samples.item_ids.tolist() for one in work]


def alone(experiment, dataset, of):
    """The samples of each turn, drawn or given one by one."""
    for client, turn, epochs in zip(of.clients, of.turns, of.epochs.tolist(), strict=True):

        def draw(client=client, turn=turn):
            return stream(experiment.seed, Purpose.LOCAL_SAMPLING, client, turn)

        config = experiment.training
        if config.samples == "given":
            yield given_samples(*dataset.given.of(client), dataset.item_count, config, draw, epochs)
        else:
            positives = dataset.train.of(client)
            yield local_samples(positives, dataset.item_count, config, draw(), epochs)
