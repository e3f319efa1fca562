"""One Ray cluster for all tests of actors."""

import pytest
import ray

from actors.connecting import STARTS_ITS_OWN, connected
from actors.reserving import PREFIX, give_back


@pytest.fixture(scope="session")
def cluster():
    """A cluster of this machine, as `fedras run` starts it."""
    with connected(STARTS_ITS_OWN):
        yield ray


@pytest.fixture(autouse=True)
def _given_back():
    """What a test reserved and did not give back."""
    yield
    if ray.is_initialized():
        give_back(PREFIX)


def freed(executor):
    """Let the cores of an executor go at once: its pools would stay until it is collected."""
    executor.close()
