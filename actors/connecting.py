"""Joining a Ray cluster, or starting one on this machine.

In order: the address that was asked for; ``RAY_ADDRESS`` (which Ray sets inside ``ray job submit``);
a cluster that runs on this machine already; else a new one, without dashboard, that ends with us.

Ray takes five seconds and more to come up, in which this process has little to do with it: `Rising` lets it
come up meanwhile.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import ray

from fedras_ray.errors import ExecutorError

STARTS_ITS_OWN = "local"  # as an address: never join, always start
CONNECT_LIMIT_S = 5.0
RISE_LIMIT_S = 120.0  # Ray gives up by itself before that
SENT_DIRECTLY_BYTES = 1 << 20  # results that need not go by the object store: sums of a few thousand items
REMEDY = "Start one with 'ray start --head', or leave --address out"


class Rising:
    """A connection that is being made while the block does something else; `connected` takes it over.

    What could not be connected is said where it is taken over. If nobody does, it ends with the block.

    Args:
        address: as for `connected`.
    """

    def __init__(self, address: str | None) -> None:
        self.address = address
        self._troubles: list[BaseException] = []
        self._is_up, self._is_over = threading.Event(), threading.Event()
        self._is_taken = ray.is_initialized()  # somebody's, and not ours to end

    def __enter__(self) -> Rising:
        if not self._is_taken:
            threading.Thread(target=self._rise, name="connecting", daemon=True).start()
        return self

    def __exit__(self, *what: object) -> None:
        if not self._is_taken:
            self._is_up.wait(RISE_LIMIT_S)  # in the middle of it Ray cannot be stopped
            self.end()

    def take(self) -> bool:
        """Wait until it is there; whether it is, which it is once.

        Raises:
            ExecutorError: it could not be made.
        """
        if self._is_taken:
            return False
        if not self._is_up.wait(RISE_LIMIT_S):
            raise ExecutorError(f"Ray did not come up within {RISE_LIMIT_S:g} s. {REMEDY}")
        self._is_taken = True
        if self._troubles:
            self._is_over.set()
            raise self._troubles[0]
        return True

    def end(self) -> None:
        """Let it go."""
        ray.shutdown()
        self._is_over.set()

    def _rise(self) -> None:
        """Ray's processes live as long as the *thread* that started them, on Linux (``PR_SET_PDEATHSIG``)."""
        try:
            _connect(self.address)
        except BaseException as error:  # raised again where it is taken over
            self._troubles.append(error)
        self._is_up.set()
        self._is_over.wait()


@contextmanager
def connected(address: str | Rising | None) -> Iterator[None]:
    """A connection to Ray for the time of the block.

    Raises:
        ExecutorError: there is no cluster at `address`, or none can be started.
    """
    if isinstance(address, Rising):
        if address.take():
            try:
                yield
            finally:
                address.end()
            return
        address = address.address
    if ray.is_initialized():
        yield
        return
    _connect(address)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(address: str | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # of a cluster we start: it is as urgent as we are
    os.environ.setdefault("RAY_max_direct_call_object_size", str(SENT_DIRECTLY_BYTES))  # of such a one, too
    _probe(address or os.environ.get("RAY_ADDRESS", ""))
    try:
        with _own_handler(), naming_failure(), _taken_for_granted("ray.dashboard.optional_deps"):
            ray.init(
                address=address, logging_level=logging.ERROR, log_to_driver=False, include_dashboard=None
            ) if _joins(address) else ray.init(
                address="local", logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = address or os.environ.get("RAY_ADDRESS") or "this machine"
        raise ExecutorError(f"no Ray cluster at {where}: {error}. {REMEDY}") from error


@contextmanager
def naming_failure() -> Iterator[None]:
    """Ray says with a bare `Exception` that what it starts does not come up; with a name it can be caught.

    Raises:
        ConnectionError: instead of a bare one.
    """
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise ConnectionError(str(error)) from error


@contextmanager
def _taken_for_granted(module: str) -> Iterator[None]:
    """Ray imports a module in here to see that it is there, which `ray[default]`, that we need, has.

    It is never looked into. Importing it takes a second of this process, and nothing of Ray begins before.
    """
    if module in sys.modules:
        yield
        return
    sys.modules[module] = ModuleType(module)
    try:
        yield
    finally:
        del sys.modules[module]


@contextmanager
def _own_handler() -> Iterator[None]:
    """Ray replaces the handler of SIGTERM; ours is put back, so that a run can end tidily."""
    ours = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():  # Ray replaces it in no other
            signal.signal(signal.SIGTERM, ours)


def _probe(address: str) -> None:
    """Refuse HOST:PORT where nobody listens: Ray itself would try for minutes, and say so on stderr.

    Ray takes loopback for this machine, whatever its address.
    """
    host, colon, port = address.rpartition(":")
    if not colon or "/" in host or not port.isdigit():
        return
    hosts = [host]
    if host in ("127.0.0.1", "localhost"):
        hosts.append(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
    refusals = []
    for one in hosts:
        try:
            socket.create_connection((one, int(port)), CONNECT_LIMIT_S).close()
        except OSError as error:
            refusals.append(str(error))
        else:
            return
    raise ExecutorError(f"no Ray cluster at {address}: {refusals[0]}. {REMEDY}")


def _joins(address: str | None) -> bool:
    return address != STARTS_ITS_OWN
