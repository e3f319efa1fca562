"""The section of privacy: off unless asked for, and strict."""

import pytest

from fedras_ray.config import build
from fedras_ray.config.privacy import NoPrivacy
from fedras_ray.errors import ConfigError


def test_nothing_is_added_where_nothing_is_said():
    assert build({}).privacy == NoPrivacy()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["privacy.kind=exponential"], "privacy"),
        (["privacy.kind=gaussian"], "privacy.clip"),
        (["privacy.kind=gaussian", "privacy.clip=0"], "privacy.clip"),
        (
            ["privacy.kind=gaussian", "privacy.clip=1", "privacy.noise_multiplier=0"],
            "privacy.noise_multiplier",
        ),
        (["privacy.kind=gaussian", "privacy.clip=1", "privacy.delta=1"], "privacy.delta"),
        (["privacy.kind=gaussian", "privacy.clip=1", "privacy.epsilon=1"], "unknown name 'epsilon'"),
        (["privacy.kind=laplace", "privacy.clip=nan"], "privacy.clip"),
        (["privacy.kind=laplace", "privacy.clip=1", "privacy.epsilon=0"], "privacy.epsilon"),
    ],
)
def test_what_cannot_be_names_the_key(settings, said):
    with pytest.raises(ConfigError) as caught:
        build({}, settings)
    assert said in str(caught.value)
