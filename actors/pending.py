"""Calls to actors whose results are awaited, with limits and with errors of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import GetTimeoutError, ObjectLostError, RayActorError, RayError, RayTaskError

from fedras_ray.errors import ExecutorError, FedrasError
from fedras_ray.executor import Pending

Result = TypeVar("Result")


class LostError(ExecutorError):
    """An actor is gone, or its answer is, or it is silent for too long."""


class RayPending(Generic[Result]):
    """A call to a pool; asked once, and remembered."""

    def __init__(
        self, reference: Any, what: str, limit_s: float, read: Callable[[Any], Result] = lambda sent: sent
    ) -> None:
        """`read` makes the result of what was sent."""
        self._reference = reference
        self._what = what
        self._limit_s = limit_s
        self._read = read
        self._value: list[Result] = []

    def result(self) -> Result:
        """See `Pending.result`."""
        if not self._value:
            self._value.append(self._read(fetch(self._reference, self._what, self._limit_s)))
            self._reference = None  # the object store may forget it
        return self._value[0]

    def together(self, others: Sequence[Pending[Any]]) -> None:
        """See `Pending.together`: one after the other."""

    def apart(self) -> RayPending[Result]:
        """See `Pending.apart`."""
        return self


def fetch(reference: Any, what: str, limit_s: float, waited_s: float = 0.0) -> Any:
    """`ray.get` with a limit, of which so much is over, and with errors of ours.

    Raises:
        FedrasError: whatever of ours was raised over there, as it was raised.
        LostError: the actor died, or did not answer in time, or its answer is lost.
        ExecutorError: anything else went wrong over there.
    """
    if not ray.is_initialized():
        raise ExecutorError(f"{what} is out of reach: the connection to Ray is closed")
    try:
        return ray.get(reference, timeout=max(0.0, limit_s - waited_s))
    except GetTimeoutError as error:
        raise LostError(
            f"{what} did not answer within {limit_s:g} s; raise execution.work_limit_s, or look at "
            "'ray status' for a node that is gone"
        ) from error
    except RayTaskError as error:
        if isinstance(error.cause, FedrasError):
            raise error.cause from None
        raise ExecutorError(f"{what} failed: {error}") from error
    except RayActorError as error:
        raise LostError(f"{what} died: {error}") from error
    except ObjectLostError as error:  # large answers stay where they were made until they are fetched
        raise LostError(f"{what} had answered, and the answer was lost with its node: {error}") from error
    except RayError as error:
        raise ExecutorError(f"{what} is out of reach: {error}") from error
