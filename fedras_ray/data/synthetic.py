"""Interactions that nobody made: latent tastes, Zipf popularity, log-normal activity, any size.

U users, I items, w taste width, S items on a slate.

A user meets one *slate* after another: S items drawn by popularity, independent of the user. From each
the user takes one by multinomial logit choice, with probability ∝ exp(strength · taste), where taste
is the dot product of two standard normal vectors over √w (McFadden, "Conditional logit analysis of
qualitative choice behavior", 1974). What the user has already is taken once only, and a user stops at
their activity. This is the model itself and no approximation of another; it needs S scores per
interaction and never a U × I matrix. What it cannot do: a taste can raise an item's share at most S
times over its popularity; a user who, after many slates, still has too few distinct items (a steep
popularity and an activity near half of the catalogue) is given the rest at random; and there is no
trend in time, so the order of a history is random.

Users come in blocks of fixed size with a stream each: a block's content depends on the configuration,
the seed and its number. The constants below are part of what a seed means; changing one changes the data.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.data import SyntheticData
from fedras_ray.data.histories import Histories
from fedras_ray.errors import ConfigError
from fedras_ray.streams import Purpose, stream

LEAST = 2  # interactions per user: one to train on, one to hold out
SLATE = 8  # S
BLOCK_USERS = 4096
_CHUNK = 2**10  # slates at a time: they stay in the cache of the processor
_PATIENCE = 8  # rounds; whoever then still misses items takes any, so that this ends for every exponent
_NO_ZERO = np.float32(1e-30)  # has a logarithm
_QUANTILES = 4096
_ITEM_TURN, _USER_TURN = 0, 1  # the last part of the stream's address

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


def generate(config: SyntheticData, seed: int) -> Histories:
    """A data set of `config.users` × `config.items`; every user has at least two distinct items.

    The mean activity is `config.mean_interactions` in expectation, although activity is cut off at 2
    and at half of the items. The result takes 4 bytes per interaction, twice that while it is put
    together; the work space beside it grows with the interactions of one block, never with U × I.

    Raises:
        ConfigError: a mean activity that users with 2 to I / 2 interactions cannot have.
    """
    activity = activity_quantiles(config)
    rng = stream(seed, Purpose.SYNTHETIC, 0, _ITEM_TURN)
    tastes = rng.standard_normal((config.items, config.taste_width), dtype=np.float32)  # (I, w) by rank
    tastes *= np.float32(config.taste_strength / np.sqrt(config.taste_width))
    names = rng.permutation(config.items).astype(np.int32)  # (I,) rank -> item: numbers say nothing
    counts, items = [], []
    for block, start in enumerate(range(0, config.users, BLOCK_USERS)):
        users = min(BLOCK_USERS, config.users - start)
        rng = stream(seed, Purpose.SYNTHETIC, block, _USER_TURN)
        wanted = activity[rng.integers(len(activity), size=users)]  # (users,)
        counts.append(wanted)
        items.append(names[_histories(wanted, tastes, config, rng)])
    offsets = np.concatenate(([0], np.cumsum(np.concatenate(counts), dtype=np.int64)))
    return Histories(offsets, np.concatenate(items), config.items)


def activity_quantiles(config: SyntheticData) -> Ids:
    """Equally likely activities: log-normal, rounded, within 2 … I / 2, with the mean that is asked for.

    The cut-offs move the mean, so the median is found by bisection until the mean is right.
    """
    if config.items < LEAST:
        raise ConfigError("data.items", f"must be at least {LEAST}, for one to train on and one to hold out")
    most = max(config.items // 2, LEAST)
    if not LEAST <= config.mean_interactions <= most:
        problem = f"must lie between {LEAST} and {most}, half of the items"
        raise ConfigError("data.mean_interactions", problem)
    normal = NormalDist(0.0, 1.0)
    z = np.array([normal.inv_cdf((index + 0.5) / _QUANTILES) for index in range(_QUANTILES)])
    spread = np.exp(np.clip(config.activity_sigma * z, -50.0, 50.0))
    low, high = 1e-24, 1e24
    for _ in range(200):
        median = float(np.sqrt(low * high))
        activity = np.clip(np.rint(median * spread), LEAST, most)
        low, high = (median, high) if activity.mean() < config.mean_interactions else (low, median)
    return activity.astype(np.int64)


def _histories(wanted: Ids, tastes: Floats, config: SyntheticData, rng: Generator) -> Ids:
    """(sum of wanted,) distinct ranks of each user of a block, user after user, in random order."""
    minds = rng.standard_normal((len(wanted), config.taste_width), dtype=np.float32)  # (users, w)
    have = np.zeros(0, dtype=np.int64)  # keys user · I + rank, increasing
    missing = wanted
    rounds = 0
    while missing.any():
        # Some slates end in what is known; who keeps meeting that is shown more of them.
        slates = np.where(missing > 0, missing * (rounds + 1) + missing // 4 + 1, 0)
        users = np.repeat(np.arange(len(wanted)), slates)
        if rounds < _PATIENCE:
            ranks = _choices(minds, users, tastes, config.popularity_exponent, rng)
        else:
            ranks = rng.integers(config.items, size=len(users))
        keys = users * config.items + ranks
        have = np.sort(np.concatenate((have, _first_new(keys, have, missing, config.items))))
        missing = wanted - np.bincount(have // config.items, minlength=len(wanted))
        rounds += 1
    users, ranks = np.divmod(have, config.items)
    shuffled = (users << 40) | rng.integers(2**40, size=len(users))
    return np.asarray(ranks[np.argsort(shuffled, kind="stable")])  # stable: the same on every processor


def _first_new(keys: Ids, have: Ids, missing: Ids, item_count: int) -> Ids:
    """The first choices of every user that are new, as many as are missing."""
    _, first = np.unique(keys, return_index=True)
    keys = keys[np.sort(first)]  # users stay together, each in the order of the slates
    keys = keys[~np.isin(keys, have, assume_unique=True)]
    users = keys // item_count
    starts = np.searchsorted(users, np.arange(len(missing)))
    return keys[np.arange(len(keys)) - starts[users] < missing[users]]


def _choices(minds: Floats, users: Ids, tastes: Floats, exponent: float, rng: Generator) -> Ids:
    """(n,) the rank that each of n users (with repeats) takes from a slate of their own.

    Logit choice as a race: the smallest of exponential times, each with rate exp(taste), wins.
    """
    chosen = np.empty(len(users), dtype=np.int64)
    for start in range(0, len(users), _CHUNK):
        part = users[start : start + _CHUNK]
        slate = popular_ranks(len(tastes), exponent, (len(part), SLATE), rng)  # (n, S)
        liking = np.einsum("nsw,nw->ns", np.take(tastes, slate, axis=0), minds[part])  # (n, S)
        race = rng.standard_exponential(slate.shape, dtype=np.float32) + _NO_ZERO
        arrival = np.log(race) - liking
        winner = np.argmin(arrival, axis=1)
        chosen[start : start + _CHUNK] = slate[np.arange(len(part)), winner]
    return chosen


def popular_ranks(item_count: int, exponent: float, shape: tuple[int, ...], rng: Generator) -> Ids:
    """Ranks 0 … I-1 by Zipf's law: rank r has probability ∝ the integral of x^-exponent from r+1 to r+2.

    That is the bounded Pareto distribution rounded down, drawn by inversion: no table of I entries.
    """
    uniform = rng.random(shape)
    if abs(exponent - 1.0) < 1e-9:
        place = np.exp(uniform * np.log(item_count + 1.0))
    else:
        power = 1.0 - exponent
        place = (1.0 + uniform * ((item_count + 1.0) ** power - 1.0)) ** (1.0 / power)
    return np.asarray(np.clip(place.astype(np.int64) - 1, 0, item_count - 1))
