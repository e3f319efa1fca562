"""Synthetic data: as active, as skewed and as distinct as was asked for, and always the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedras_ray.config.data import SyntheticData
from fedras_ray.data import synthetic
from fedras_ray.data.split import leave_last_out
from fedras_ray.data.synthetic import generate, popular_ranks
from fedras_ray.errors import ConfigError
from fedras_ray.streams import Purpose, stream


def config(**options):
    return SyntheticData(kind="synthetic", **options)


def head_share(told, share=0.01):
    popularity = np.sort(told.interactions().popularity())[::-1]
    return popularity[: int(len(popularity) * share)].sum() / len(told)


def test_the_default_is_as_active_as_it_says():
    told = generate(config(users=4000), 1)
    counts = np.diff(told.offsets)
    assert counts.mean() == pytest.approx(40, rel=0.05)
    assert np.log(counts).std() == pytest.approx(0.8, rel=0.1)
    assert counts.min() >= 2


@pytest.mark.parametrize(("items", "mean"), [(100, 2.5), (100, 45), (50, 20)])
def test_the_mean_holds_where_activity_is_cut_off(items, mean):
    counts = np.diff(
        generate(config(users=3000, items=items, mean_interactions=mean, activity_sigma=1.2), 1).offsets
    )
    assert counts.mean() == pytest.approx(mean, rel=0.06)
    assert counts.min() >= 2
    assert counts.max() <= items // 2


@settings(max_examples=25)
@given(
    users=st.integers(1, 40),
    items=st.integers(2, 60),
    sigma=st.floats(0, 3),
    exponent=st.floats(0, 4),
    strength=st.floats(0, 20),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**64),
)
def test_rows_are_distinct_and_within_bounds(users, items, sigma, exponent, strength, share, seed):
    most = max(2, items // 2)
    told = generate(
        config(
            users=users,
            items=items,
            mean_interactions=2 + share * (most - 2),
            activity_sigma=sigma,
            popularity_exponent=exponent,
            taste_strength=strength,
        ),
        seed,
    )
    assert told.user_count == users
    assert told.items.min() >= 0
    assert told.items.max() < items
    for user in range(users):
        row = told.of(user).tolist()
        assert len(set(row)) == len(row)
        assert 2 <= len(row) <= most


def test_the_same_seed_the_same_data_and_another_seed_other_data():
    one, same, other = (generate(config(users=300), seed) for seed in (7, 7, 8))
    assert one.items.tobytes() == same.items.tobytes()
    assert one.offsets.tobytes() == same.offsets.tobytes()
    assert one.interactions().digest() != other.interactions().digest()


def test_blocks_do_not_depend_on_each_other(monkeypatch):
    monkeypatch.setattr(synthetic, "BLOCK_USERS", 64)
    short, long = (generate(config(users=users), 1) for users in (128, 200))
    assert long.offsets[:129].tolist() == short.offsets.tolist()
    assert long.items[: len(short)].tobytes() == short.items.tobytes()


def test_popularity_is_skewed_as_asked_and_numbers_say_nothing():
    flat, zipf, steep = (
        generate(config(users=2000, popularity_exponent=power), 1) for power in (0, 1.0, 1.5)
    )
    assert head_share(flat) < 0.03 < 0.15 < head_share(zipf) < head_share(steep)
    popularity = zipf.interactions().popularity()
    assert abs(np.corrcoef(np.arange(len(popularity)), popularity)[0, 1]) < 0.1


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_ranks_follow_the_law(exponent):
    items, draws = 50, 200_000
    found = np.bincount(
        popular_ranks(items, exponent, (draws,), stream(1, Purpose.SYNTHETIC)), minlength=items
    )
    edges = np.arange(1, items + 2, dtype=float)
    mass = np.log(edges) if exponent == 1 else edges ** (1 - exponent) / (1 - exponent)
    expected = draws * np.diff(mass) / (mass[-1] - mass[0])
    assert ((found - expected) ** 2 / expected).sum() < 100  # chi-square with 49 degrees: p < 1e-4


def test_taste_can_be_learned():
    """Items of users with a like taste are like: far more co-occurrence than popularity explains."""

    def affinity(strength):
        told = generate(config(users=600, items=300, popularity_exponent=0, taste_strength=strength), 1)
        table = np.zeros((600, 300))
        for user in range(600):
            table[user, told.of(user)] = 1
        table -= table.mean(axis=0)
        energy = np.linalg.svd(table, compute_uv=False) ** 2
        return energy[:8].sum() / energy.sum()  # what eight directions explain

    assert affinity(3.0) > 2 * affinity(0.0)


def test_the_last_item_is_like_the_others():
    told = generate(config(users=3000, items=500), 1)
    train, test = leave_last_out(told)
    assert (test.counts() == 1).all()
    popularity = train.popularity()
    first = popularity[told.items[told.offsets[:-1]]]
    assert popularity[test.items].mean() == pytest.approx(first.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"mean_interactions": 1.5}, "data.mean_interactions"),
        ({"items": 50}, "data.mean_interactions"),
        ({"items": 1, "mean_interactions": 2}, "data.items"),
    ],
)
def test_what_cannot_be_is_refused(options, key):
    with pytest.raises(ConfigError) as caught:
        generate(config(**options), 1)
    assert caught.value.args[0] == key
