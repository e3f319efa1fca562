"""A cluster that does not come up is an error of ours, however Ray says it."""

import importlib
import sys
import threading

import pytest
import ray

from actors.connecting import STARTS_ITS_OWN, Rising, connected
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


def test_what_ray_looks_for_as_it_begins_is_there_for_others_afterwards(monkeypatch):
    name, seen = "ray.dashboard.optional_deps", []
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **asked: seen.append(importlib.import_module(name)))
    with connected(STARTS_ITS_OWN):
        assert not hasattr(seen[0], "aiohttp")  # not imported: it takes a second
        assert importlib.import_module(name).aiohttp


@pytest.fixture
def rising_ray(monkeypatch):
    """Ray as it is seen from here: calls, and the threads they came from."""
    calls = []
    monkeypatch.setattr(ray, "is_initialized", lambda: bool(calls) and calls[-1][0] == "init")
    monkeypatch.setattr(ray, "init", lambda **asked: calls.append(("init", threading.current_thread())))
    monkeypatch.setattr(ray, "shutdown", lambda: calls.append(("shutdown", threading.current_thread())))
    return calls


def test_a_connection_that_was_made_meanwhile_is_taken_over_once(rising_ray):
    with Rising(STARTS_ITS_OWN) as rising:
        with connected(rising):
            ((_, starter),) = rising_ray
            assert starter is not threading.current_thread()
            assert starter.is_alive()  # Ray's processes live as long as it does
        starter.join(10)
        assert not starter.is_alive()
        with connected(rising):  # after a restart: anew, and from here
            assert rising_ray[-1] == ("init", threading.current_thread())
    assert [name for name, _ in rising_ray] == ["init", "shutdown"] * 2


def test_a_connection_that_nobody_took_over_ends(rising_ray):
    with pytest.raises(ZeroDivisionError), Rising(STARTS_ITS_OWN):
        raise ZeroDivisionError
    assert [name for name, _ in rising_ray] == ["init", "shutdown"]
    rising_ray[0][1].join(10)
    assert not rising_ray[0][1].is_alive()


def test_a_connection_that_is_there_is_left_alone(rising_ray):
    ray.init()
    with Rising(STARTS_ITS_OWN) as rising, connected(rising):
        pass
    assert [name for name, _ in rising_ray] == ["init"]


@pytest.mark.parametrize(("kind", "seen"), [(RuntimeError, ExecutorError), (ZeroDivisionError,) * 2])
def test_what_kept_it_from_rising_is_said_where_it_is_taken_over(monkeypatch, kind, seen):
    def init(**asked):
        raise kind("The current node timed out during startup.")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    with (
        Rising(STARTS_ITS_OWN) as rising,
        pytest.raises(seen, match="timed out during startup"),
        connected(rising),
    ):
        pass
    assert "connecting" not in [one.name for one in _alive()]


def _alive():
    """Threads, after those that are about to end had a moment to."""
    for one in threading.enumerate():
        if one.name == "connecting":
            one.join(10)
    return threading.enumerate()
