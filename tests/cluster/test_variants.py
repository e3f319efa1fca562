"""The variants of docs/cluster.md, each with the rest of cluster.yaml, against Ray's own schema."""

import copy
import re

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.cluster.test_cluster_yaml import FILE, ROOT

ABOVE = ("cluster_name", "provider", "auth")  # of cluster.yaml, which a variant replaces
PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
VARIANTS = {tree["provider"]["type"]: tree for tree in map(yaml.safe_load, BLOCKS)}


def whole(variant):
    base = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {key: value for key, value in base.items() if key not in ABOVE} | copy.deepcopy(variant)


def test_the_page_has_both():
    assert set(VARIANTS) == {"aws", "gcp"}


@pytest.mark.parametrize("provider", VARIANTS)
def test_ray_accepts_a_variant(provider):
    prepared = prepare_config(whole(VARIANTS[provider]))
    validate_config(prepared)
    worker = prepared["available_node_types"]["worker"]
    assert (worker["min_workers"], worker["max_workers"]) == (2, 4)
    assert prepared["file_mounts"]["~/fedras/src"]


@pytest.mark.parametrize("provider", VARIANTS)
@pytest.mark.parametrize(
    "damage", [{"head_node_type": "haed"}, {"max_wrokers": 4}, {"auth": {"ssh_usr": "x"}}]
)
def test_ray_refuses_a_damaged_one(provider, damage):
    with pytest.raises(Exception, match=r"head_node_type|max_wrokers|ssh_usr"):
        validate_config(prepare_config(whole(VARIANTS[provider] | damage)))
