"""What says where the CPU goes finds every part where it looks for it."""

import pytest

from benchmarks.shares import measure
from fedras_ray.config import build
from tests.conftest import SMALL


@pytest.mark.parametrize("kind", ["actions", "gain-shape", "sparse"])
def test_every_part_of_an_update_is_timed(kind):
    updates, seconds = measure(build({"codec": {"kind": kind}}, [*SMALL, "schedule.versions=4"]), 3)
    assert updates > 0
    parts = {"training", "coding", "aggregation", "everything else"}
    assert set(seconds) == parts | ({"clustering"} if kind != "sparse" else set())
    assert min(seconds.values()) > 0
