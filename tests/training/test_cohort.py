"""Training a cohort of clients as tensors is training each of them alone, in the plainest way there is."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.client import MatrixFactorization, TrainingConfig
from fedras_ray.models.build import build_model
from fedras_ray.training.cohort import BUCKET_PADDING, buckets, train_cohort

WIDTH = 5
SIZES = [3, 60, 1, 80, 12, 2, 1, 30, 7, 1]  # positives; 80 is the whole catalogue: no negatives
MODEL = build_model(MatrixFactorization(width=WIDTH))  # in machine code, client by client


class Padded:
    """The same model without its machine code: cohorts are padded tensors."""

    private_width = MODEL.private_width
    initial_items, initial_private = MODEL.initial_items, MODEL.initial_private
    step, scores = MODEL.step, MODEL.scores


MODELS = {"compiled": MODEL, "padded": Padded()}
RATES = {"sum": {"item_rate": 0.05, "private_rate": 0.02}, "mean": {"item_rate": 1.0, "private_rate": 0.4}}
CONFIGS = [
    TrainingConfig(epochs=3, batch_size=batch, negatives=2, weight_decay=decay, loss=loss, **RATES[loss])
    for batch, loss, decay in itertools.product([0, 16], ["sum", "mean"], [0.0, 0.1])
]


def name(config):
    return f"{config.batch_size or 'full'}-{config.loss}-decay {config.weight_decay}"


def alone(work, table, config):
    """One client, its own full table, autograd and torch's SGD, one sample after another, in float64.

    Returns the change of the whole table, the private vector, and the loss per sample before each step, the
    mean over the first epoch's steps.
    """
    items = torch.nn.Embedding.from_pretrained(torch.from_numpy(table.astype(np.float64)), freeze=False)
    private = torch.nn.Parameter(torch.from_numpy(work.private.astype(np.float64)))
    groups = [
        {"params": items.parameters(), "lr": config.item_rate},
        {"params": [private], "lr": config.private_rate},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    losses = []
    for number, step in enumerate(work.samples.steps):
        samples = []
        rows = range(len(work.samples.item_ids)) if step.rows is None else step.rows
        for row, weight, positive in zip(rows, step.weight, step.positive, strict=True):
            item = int(work.samples.item_ids[row])
            samples += [(item, 1.0)] * int(positive) + [(item, 0.0)] * int(weight - positive)
        logits = torch.stack([items(torch.tensor(item)) @ private for item, _ in samples])
        labels = torch.tensor([label for _, label in samples], dtype=torch.float64)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction=config.loss)
        if number < work.samples.epoch_steps:
            losses.append(loss.item() / (len(samples) if config.loss == "sum" else 1))
        optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():  # torch would shrink the whole table: here only what the step touches
            for item in {item for item, _ in samples}:
                items.weight.grad[item] += config.weight_decay * items.weight[item]
            private.grad += config.weight_decay * private
        optimizer.step()
    return items.weight.detach().numpy() - table, private.detach().numpy(), np.mean(losses)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("config", CONFIGS, ids=name)
def test_a_cohort_learns_what_each_client_learns_alone(work_of, table, config, model):
    work = work_of(config, SIZES)
    results = train_cohort(model, work, config)
    assert len(results) == len(work)  # and in the order of the work, as each is compared with its own
    for one, result in zip(work, results, strict=True):
        change, private, loss = alone(one, table, config)
        untouched = np.delete(change, one.samples.item_ids, axis=0)
        assert not untouched.any()
        np.testing.assert_allclose(result.delta, change[one.samples.item_ids], rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.private, private, rtol=0, atol=1e-5)
        assert result.loss == pytest.approx(loss, abs=1e-5)
        assert np.abs(result.delta).max() > 1e-3, "the case says little"
        assert np.abs(result.private - one.private).max() > 1e-4, "the case says little"


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("config", CONFIGS[::3], ids=name)
def test_a_clients_result_does_not_depend_on_who_else_is_in_the_cohort(work_of, config, model):
    work = work_of(config, SIZES)
    together = train_cohort(model, work, config)
    by_itself = [train_cohort(model, [one], config)[0] for one in work]
    few = [1, 4, 7]
    with_few = train_cohort(model, [work[place] for place in few], config)
    pairs = [*zip(together, by_itself, strict=True), *zip(with_few, (together[i] for i in few), strict=True)]
    for one, other in pairs:
        np.testing.assert_allclose(one.delta, other.delta, rtol=0, atol=1e-6)
        np.testing.assert_allclose(one.private, other.private, rtol=0, atol=1e-6)
        assert one.loss == pytest.approx(other.loss, abs=1e-6)


def test_results_are_in_the_order_of_the_work(work_of):
    config = TrainingConfig(negatives=1)
    work = work_of(config, SIZES)
    results = train_cohort(MODEL, work, config)
    backwards = train_cohort(MODEL, work[::-1], config)[::-1]
    assert [len(result.delta) for result in results] == [len(one.samples.item_ids) for one in work]
    for one, other in zip(results, backwards, strict=True):
        np.testing.assert_allclose(one.delta, other.delta, rtol=0, atol=1e-6)
        np.testing.assert_allclose(one.private, other.private, rtol=0, atol=1e-6)


@pytest.mark.parametrize("config", CONFIGS[::5], ids=name)
def test_the_same_cohort_gives_the_same_bits_and_the_work_stays_as_it_is(work_of, config):
    work, untouched = work_of(config, SIZES), work_of(config, SIZES)
    for one in work:
        one.rows.flags.writeable = one.private.flags.writeable = False  # as they come over Ray
    first, second = (train_cohort(MODEL, work, config) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.delta.tobytes() == other.delta.tobytes()
        assert one.private.tobytes() == other.private.tobytes()
    for one, other in zip(work, untouched, strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.private, other.private)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("config", CONFIGS, ids=name)
def test_a_client_with_nothing_to_train_on_stays_as_it_is_and_disturbs_nobody(work_of, config, model):
    work = work_of(config, [0, 12, 3])
    nobody, *others = train_cohort(model, work, config)
    assert nobody.delta.shape == (0, WIDTH)
    np.testing.assert_array_equal(nobody.private, work[0].private)
    assert nobody.loss == 0
    for one, other in zip(others, train_cohort(model, work[1:], config), strict=True):
        np.testing.assert_allclose(one.delta, other.delta, rtol=0, atol=1e-6)


def test_a_cohort_of_nobody_gives_nothing():
    assert train_cohort(MODEL, [], TrainingConfig()) == []


LENGTHS = st.lists(st.integers(0, 12) | st.integers(0, 2_000), max_size=40)


@given(LENGTHS)
def test_every_place_is_in_exactly_one_bucket_and_buckets_go_from_long_to_short(lengths):
    grouped = buckets(lengths)
    places = [place for bucket in grouped for place in bucket]
    assert sorted(places) == list(range(len(lengths)))
    assert [lengths[place] for place in places] == sorted(lengths, reverse=True)
    assert all(grouped)


def padding(lengths):
    return max(lengths) * len(lengths) - sum(lengths)


@given(LENGTHS)
def test_a_bucket_pads_no_more_rows_than_allowed(lengths):
    assert all(padding([lengths[place] for place in bucket]) <= BUCKET_PADDING for bucket in buckets(lengths))


@given(LENGTHS)
def test_a_bucket_ends_only_where_one_client_more_would_pad_too_much(lengths):
    for bucket, following in itertools.pairwise(buckets(lengths)):
        assert padding([lengths[place] for place in [*bucket, following[0]]]) > BUCKET_PADDING


def test_clients_of_one_size_share_one_bucket():
    assert buckets([7] * 50) == [list(range(50))]
