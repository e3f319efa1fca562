"""A cluster that does not come up is an error of ours, however Ray says it."""

import pytest
import ray

from actors.cluster import STARTS_ITS_OWN, connected
from fedras_ray.errors import ExecutorError


@pytest.mark.parametrize("kind", [Exception, ConnectionError, RuntimeError])
def test_a_cluster_that_does_not_come_up_is_named(monkeypatch, kind):
    def init(**asked):
        raise kind("The current node timed out during startup.")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    with (
        pytest.raises(ExecutorError, match=r"no Ray cluster at .* timed out during startup"),
        connected(STARTS_ITS_OWN),
    ):
        pass


def test_what_is_no_failure_of_ray_stays_what_it_is(monkeypatch):
    def init(**asked):
        raise ZeroDivisionError

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(ZeroDivisionError), connected(STARTS_ITS_OWN):
        pass
