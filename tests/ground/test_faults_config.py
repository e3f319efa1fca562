"""The section of faults: off unless asked for, and strict."""

import pytest

from fedras_ray.config import build
from fedras_ray.config.faults import FaultsConfig
from fedras_ray.errors import ConfigError


def test_everything_is_off_where_nothing_is_said():
    config = FaultsConfig()
    assert (config.flip, config.duplicate, config.reorder, config.poison) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("faults.flip=1.0", "faults.flip"),
        ("faults.flip=-0.1", "faults.flip"),
        ("faults.flipped_bits=0", "faults.flipped_bits"),
        ("faults.delay_s=0", "faults.delay_s"),
        ("faults.poison_kind=evil", "faults.poison_kind"),
        ("faults.poison_factor=nan", "faults.poison_factor"),
        ("faults.pool_kills=[0]", "faults.pool_kills"),
        ("faults.pool_kills=[4,4]", "faults.pool_kills': are versions in order, each once, got [4, 4]"),
        ("faults.pool_kills=[100]", "faults.pool_kills has version 100, and nothing is computed after"),
        ("faults.flips=0.1", "faults: unknown name 'flips'; did you mean 'flip'"),
    ],
)
def test_what_cannot_be_names_the_key(setting, key):
    with pytest.raises(ConfigError) as caught:
        build({}, [setting])
    assert key in str(caught.value).replace("'faults'", "faults")


def test_pools_that_are_killed_change_no_result_and_so_no_digest():
    assert build({}, ["faults.pool_kills=[1, 7]"]).digest() == build({}).digest()
    assert build({}, ["faults.flip=0.1"]).digest() != build({}).digest()
