"""The network's section: off unless asked for, and strict."""

import pytest
from pydantic import ValidationError

from fedras_ray.config.network import NetworkConfig


def test_everything_is_off_where_nothing_is_said():
    config = NetworkConfig()
    assert (config.variation.kind, config.availability.kind) == ("none", "always")
    assert (config.loss, config.dropout) == (0, 0)
    assert config.server_uplink_bytes_per_s is config.server_downlink_bytes_per_s is None


@pytest.mark.parametrize(
    "tree",
    [
        {"loss": 1.0},
        {"dropout": -0.1},
        {"server_uplink_bytes_per_s": 0.0},
        {"variation": {"kind": "gamma", "cv": 0.0}},
        {"variation": {"kind": "gamma", "hold_s": 0.0}},
        {"variation": {"kind": "trace"}},
        {"variation": {"kind": "trace", "file": ""}},
        {"variation": {"kind": "wavy"}},
        {"availability": {"kind": "diurnal", "hours_per_day": 25.0}},
        {"availability": {"kind": "renewal", "mean_on_s": float("inf")}},
        {"availability": {"kind": "trace", "file": "a.csv", "clients": "any"}},
        {"availability": {"kind": "always", "hours_per_day": 3}},
    ],
)
def test_what_cannot_be_is_refused(tree):
    with pytest.raises(ValidationError):
        NetworkConfig.model_validate(tree)


def test_a_tree_comes_back_as_it_went():
    tree = {
        "variation": {"kind": "log-normal", "cv": 1.0, "hold_s": 60.0},
        "availability": {"kind": "renewal", "mean_on_s": 60.0, "mean_off_s": 600.0},
        "server_uplink_bytes_per_s": 1e7,
        "loss": 0.01,
        "dropout": 0.05,
    }
    config = NetworkConfig.model_validate(tree)
    assert NetworkConfig.model_validate(config.model_dump(mode="json")) == config
