"""One Ray cluster for all tests of actors."""

import pytest
import ray

from actors.connecting import STARTS_ITS_OWN, connected


@pytest.fixture(scope="session")
def cluster():
    """A cluster of this machine, as `fedras run` starts it."""
    with connected(STARTS_ITS_OWN):
        yield ray


def freed(executor):
    """Let the cores of an executor go at once: its pools would stay until it is collected."""
    for pool in executor._pools:
        ray.kill(pool.actor)
