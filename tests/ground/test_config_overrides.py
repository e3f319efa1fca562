"""``key=value`` laid over a tree, as the command line writes it."""

import pytest

from fedras_ray.config import build
from fedras_ray.config.codecs import AdaptiveActions
from fedras_ray.errors import ConfigError


def refused(override):
    """The key and the problem of the error that an override is refused with."""
    with pytest.raises(ConfigError) as caught:
        build({}, [override])
    return caught.value.args


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.epochs=3", 3),
        (" training . epochs = 3 ", 3),
        ("training.item_rate=1e-3", 1e-3),
        ("training.loss=mean", "mean"),  # bare words need no quotes
        ("training.loss='mean'", "mean"),
        ("tracking.mlflow=false", False),
        ("tracking.experiment=a = b", "a = b"),
        ("name=a-b.c", "a-b.c"),
    ],
)
def test_an_override_is_a_toml_value_or_a_bare_word(override, value):
    found = build({}, [override])
    for name in override.partition("=")[0].split("."):
        found = getattr(found, name.strip())
    assert found == value
    assert type(found) is type(value)


def test_the_last_override_wins_and_overrides_win_over_the_tree():
    assert build({"seed": 2}, ["seed=3", "seed=4"]).seed == 4


def test_an_override_reaches_a_section_that_the_tree_switched():
    overrides = ["codec.actions.kind=adaptive", "codec.actions.most=9"]
    assert build({}, overrides).codec.actions == AdaptiveActions(kind="adaptive", most=9)


@pytest.mark.parametrize("override", ["seed", "=3", "a..b=3", ".seed=3", "", "training.=3"])
def test_an_override_of_the_wrong_form_is_refused_with_an_example(override):
    key, problem = refused(override)
    assert key == override
    assert "key.name=value" in problem


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("training.epochs=0", "training.epochs"),
        ("training.epochs=", "training.epochs"),
        ("seed.x=3", "seed.x"),
        ("training.epochs.x=3", "training.epochs.x"),
        ("training.epoch=3", "training"),
        ("nowhere.at.all=3", "experiment"),
        ("fleet.kind=homogenous", "fleet"),
    ],
)
def test_a_wrong_override_is_refused_with_its_path(override, key):
    assert refused(override)[0] == key
