"""Calls to pools that are watched: a result comes, however often its pool has to be replaced for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from actors.pending import LostError, RayPending
from fedras_ray.errors import FedrasError
from fedras_ray.executor import Done, Pending

Result = TypeVar("Result")


class Home(Protocol):
    """The pool that was asked."""

    limit_s: float

    def fetch(self, reference: Any, doing: str, waited_s: float = 0.0) -> Any:
        """See `actors.pending.fetch`."""
        ...

    def replace(self, generation: int, error: LostError) -> None:
        """Have another actor that is asked the same, in place of the one of a generation."""
        ...

    def named(self, doing: str) -> str:
        """How a message speaks of it."""
        ...


class Call(Generic[Result]):
    """One call to a watched pool, and its result: see `Pending`."""

    def __init__(self, home: Home, doing: str, read: Callable[[Any], Result]) -> None:
        self.reference: Any = None  # of the latest time it was asked for
        self.generation = 0  # of the actor that was asked
        self.doing = doing
        self._home, self._read = home, read
        self._value: list[Result] = []
        self._waited_s = 0.0  # of its limit, together with others

    @property
    def is_settled(self) -> bool:
        """Whether somebody has the result."""
        return bool(self._value)

    def result(self) -> Result:
        """See `Pending.result`; as often as the pool may be replaced.

        Raises:
            ExecutorError: it was, as often as that.
        """
        while not self._value:
            try:
                sent = self._home.fetch(self.reference, self.doing, self._waited_s)
            except LostError as error:
                self._home.replace(self.generation, error)
                self._waited_s = 0.0
            else:
                self._settle(sent)
        return self._value[0]

    def together(self, others: Sequence[Pending[Any]]) -> None:
        """See `Pending.together`; if one of them does not come, each is fetched by itself later."""
        calls = [one for one in others if isinstance(one, Call) and not one.is_settled]
        began_s = time.monotonic()
        try:
            sent = self._home.fetch([one.reference for one in calls], self.doing)
        except FedrasError:
            for one in calls:
                one._waited_s = time.monotonic() - began_s
            return
        for one, its in zip(calls, sent, strict=True):
            one._settle(its)

    def _settle(self, sent: Any) -> None:
        self._value.append(self._read(sent))
        self.reference = None  # the object store may forget it

    def apart(self) -> Done[Result] | RayPending[Result]:
        """See `Pending.apart`: who is not in the thread of the simulation cannot replace a pool."""
        if self._value:
            return Done(self._value[0])
        return RayPending(self.reference, self._home.named(self.doing), self._home.limit_s, self._read)
