"""Device classes of a comparison: who is of which class, and what it has of the reference's quality."""

import numpy as np
import pytest

from fedras_ray.evaluation.classes import UNKNOWN, Turns
from workloads.comparing.classes import Labelled, labelled, lowest, of_method
from workloads.user_quality import UserQuality


def turns(pairs, names=("fast", "slow"), used=True):
    """Of (client, class) pairs."""
    clients, classes = (np.array([pair[place] for pair in pairs], dtype=np.int64) for place in (0, 1))
    some = np.ones(len(pairs), dtype=np.int64)
    return Turns(clients, classes, names, np.full(len(pairs), used), some, some, some, some.astype(float))


def users(values):
    return UserQuality(np.arange(len(values), dtype=np.int32), np.array(values, dtype=np.float32))


NAMES = ("fast", "slow")
EVERYONE = turns([(0, 0), (1, 0), (2, 1), (3, 1)])
FAST_ONLY = turns([(0, 0), (0, 0), (1, 0)])


def test_who_was_left_behind_has_the_class_that_another_run_knows():
    run = labelled(NAMES, FAST_ONLY, users([0.4, 0.2, 0.0, 0.0, 0.1]), [FAST_ONLY, EVERYONE])
    assert run.labels.tolist() == [0, 0, 1, 1, UNKNOWN]
    alone = labelled(NAMES, FAST_ONLY, users([0.4, 0.2, 0.0, 0.0, 0.1]), [FAST_ONLY])
    assert alone.labels.tolist() == [0, 0, UNKNOWN, UNKNOWN, UNKNOWN]


def test_runs_that_number_their_classes_otherwise_agree():
    only_slow = turns([(2, 0)], names=("slow",))
    assert labelled(NAMES, only_slow, users([0, 0, 0]), [only_slow]).labels.tolist() == [UNKNOWN, UNKNOWN, 1]


def test_shares_of_the_reference_class_by_class():
    base = [labelled(NAMES, EVERYONE, users([0.4, 0.2, 0.1, 0.3, 0.5]), [EVERYONE])]
    own = [labelled(NAMES, FAST_ONLY, users([0.4, 0.2, 0.1, 0.1, 0.4]), [EVERYONE, FAST_ONLY])]
    fast, slow, nobody = of_method(own, base, paired=True)
    assert (fast.name, fast.users, fast.turns, fast.used) == ("fast", 2, 3, 1.0)
    assert fast.of_reference == pytest.approx(1.0)
    assert (fast.of_reference_low, fast.of_reference_high) == (pytest.approx(1.0), pytest.approx(1.0))
    assert (slow.name, slow.turns, slow.used) == ("slow", 0, None)
    assert slow.of_reference == pytest.approx(0.5)
    assert slow.of_reference_low <= 0.5 <= slow.of_reference_high
    assert (nobody.name, nobody.users, nobody.turns) == (None, 1, 0)
    assert nobody.of_reference == pytest.approx(0.8)
    assert lowest((fast, slow, nobody)) is slow


def test_the_interval_covers_the_share_and_grows_with_what_differs_between_seeds():
    rng = np.random.default_rng(1)
    every = turns([(client, client % 2) for client in range(200)])
    levels = rng.uniform(0.2, 0.6, 200)

    def runs(factors):
        return [labelled(NAMES, every, users(levels * factor), [every]) for factor in factors]

    fast, _ = of_method(runs([0.9, 0.9, 0.9]), runs([1, 1, 1]), paired=True)
    assert fast.of_reference == pytest.approx(0.9, abs=1e-6)
    assert 0.88 < fast.of_reference_low < 0.9 < fast.of_reference_high < 0.92
    wide, _ = of_method(runs([0.8, 0.9, 1.0]), runs([1, 1, 1]), paired=True)
    assert wide.of_reference == pytest.approx(0.9, abs=1e-6)
    assert wide.of_reference_high - wide.of_reference_low > 0.2
    assert wide.quality.error == pytest.approx(0.1 * levels[::2].mean() / 3**0.5, rel=1e-4)


def test_users_are_not_paired_over_other_fleets_nor_with_the_reference_itself():
    base = [labelled(NAMES, EVERYONE, users([0.4, 0.2, 0.1, 0.3]), [EVERYONE])]
    for found in of_method(base, base, paired=False):
        assert (found.of_reference, found.of_reference_low, found.of_reference_high) == (1.0, None, None)


def test_a_class_that_a_seed_does_not_have_has_no_mean():
    every = labelled(NAMES, EVERYONE, users([0.4, 0.2, 0.1, 0.3]), [EVERYONE])
    fast = Labelled(NAMES, FAST_ONLY, every.users[:2], every.values[:2], every.labels[:2])
    _, slow = of_method([every, fast], [every, fast], paired=True)
    assert (slow.users, slow.quality, slow.of_reference) == (1.0, None, None)


def test_where_classes_are_not_told_apart_none_is_the_lowest():
    one = turns([(0, 0), (1, 0)], names=("all",))
    runs = [labelled(("all",), one, users([0.1, 0.2]), [one])]
    assert lowest(of_method(runs, runs, paired=True)) is None
    assert lowest(()) is None


def test_a_quality_of_nothing_has_no_share():
    base = [labelled(NAMES, EVERYONE, users([0.0, 0.0, 0.1, 0.3]), [EVERYONE])]
    assert of_method(base, base, paired=True)[0].of_reference is None
