"""A pool that is replaced when it dies or hangs, with what it knew and what it was asked for since.

A watched pool keeps a journal of the calls since the last state that it told of its shards; answers are
whose who waits for them. When a call does not come back because the process is gone, or because it does not
answer within its limit, another actor is placed, given that state and the views of then, and asked everything
in the journal again, in order. What a shard computes follows from its state and the calls alone, so the
answers are the same. Ray's own retries are not used: they would carry a call out on an actor that has
forgotten all calls before.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import ray

from actors import messages
from actors.calls import Call
from actors.messages import Message
from actors.pending import LostError, fetch
from actors.placing import Placement
from actors.pool import News
from fedras_ray.errors import ExecutorError
from fedras_ray.executor import Done, Pending
from fedras_ray.site import Rounded, ShardState
from fedras_ray.snapshots.sealed import sealed

CHANGING = frozenset({"round", "train", "fold"})  # what calls change the state of a pool
JOURNAL_CALLS = 48  # after so many a pool is asked for its state, which cuts the journal
MOST_NAMED = 8  # clients in a message


class Entry(NamedTuple):
    """What a pool was asked."""

    method: str
    args: tuple[Any, ...]
    call: weakref.ref[Call[Any]]  # gone, if nobody waits for the answer any more

    @property
    def awaited(self) -> Call[Any] | None:
        """Whoever waits for the answer."""
        call = self.call()
        return None if call is None or call.is_settled else call


class WatchedPool:
    """See the module.

    Args:
        number: of the pool.
        actor: that it is at first.
        placement: makes another one with its shards as they begin.
        start_limit_s: for a new actor.
        limit_s: for an answer.
        restarts: how often it may be replaced without a journal being cut in between.
    """

    def __init__(
        self,
        number: int,
        actor: Any,
        placement: Placement,
        start_limit_s: float,
        limit_s: float,
        restarts: int,
    ) -> None:
        self.limit_s = limit_s
        self._number, self._shards, self._placement = number, placement.homes[number], placement
        self._start_limit_s, self._restarts = start_limit_s, restarts
        self.actor = actor
        self.generation = 0  # of the actor: how often it was replaced
        self.waited_s = 0.0  # for results
        self._left = restarts
        self._journal: list[Entry] = []
        self._state = sealed([])  # that the journal begins with; nothing: the first
        self._held: dict[int, Any] = {}  # views that it was told of by then, and has
        self._told: dict[int, Any] = {}  # by now
        self._cut: tuple[Call[bytes], dict[int, Any]] | None = None  # under way
        self._latest = 0  # how many calls had changed its state by the latest one that did
        self._along: bytes | None = None  # the state after that, if it came along

    def fetch(self, reference: Any, doing: str, waited_s: float = 0.0) -> Any:
        """See `actors.pending.fetch`; it is timed."""
        began_s = time.perf_counter()
        try:
            return fetch(reference, self.named(doing), self.limit_s, waited_s)
        finally:
            self.waited_s += time.perf_counter() - began_s

    def named(self, doing: str) -> str:
        """How a message speaks of it."""
        return f"pool {self._number}, {doing},"

    def call(
        self, method: str, args: tuple[Any, ...], doing: str, read: Callable[[Any], Any] = lambda sent: sent
    ) -> Call[Any]:
        """Ask for something; it is in the journal until a later state makes it needless."""
        call = self._noted(method, args, doing, read)
        if method in CHANGING:
            self._latest, self._along = self._latest + 1, None
        if self._cut is None and len(self._journal) >= JOURNAL_CALLS:
            self._begin_cut()
        elif self._cut is not None and len(self._journal) % 8 == 0:
            self._end_cut(*self._cut)
        return call

    def round(self, args: tuple[Any, ...], doing: str) -> Call[Rounded]:
        """Ask for a round; the state of the pool may come along."""

        def read(sent: Message) -> Rounded:
            rounded, state = messages.round_answered(sent)
            if self._latest == mine:
                self._along = state
            return rounded

        mine = self._latest + 1
        return self.call("round", args, doing, read)

    def states(self, at_work: Collection[int] | None) -> Pending[bytes]:
        """See `KeepingExecutor.states`: what came along with the latest round, or asked for."""
        if self._along is not None and at_work is not None and not at_work:
            return Done(self._along)
        return self.call("states", (None if at_work is None else sorted(at_work),), "asked for its state")

    def tell(self, news: News, tables: tuple[Any, ...]) -> tuple[Any, ...]:
        """What becomes of views, as the last arguments of a call that is made now."""
        self._told.update(zip(news.views, tables, strict=True))
        for view in news.retired:
            self._told.pop(view, None)
        return ([*news], *tables)

    def put_back(self, states: list[ShardState]) -> None:
        """Begin with states of before."""
        self._state = sealed(states)
        told = self.actor.put_back.remote(self._state, [*News([], [])])
        fetch(told, self.named("told its state"), self.limit_s)

    def let_go(self) -> None:
        """End the actor once everything that it was asked is answered; who waits for an answer has it."""
        for entry in self._journal:
            if (call := entry.awaited) is not None:
                call.result()
        self._journal.clear()
        ray.kill(self.actor)

    def replace(self, generation: int, error: LostError) -> None:
        """Place another actor, unless that was done since the one of `generation` was asked.

        Raises:
            ExecutorError: it was replaced as often as it may be.
        """
        if generation != self.generation:
            return
        if self._left == 0:
            raise ExecutorError(self._complaint(error)) from error
        self._left -= 1
        ray.kill(self.actor)  # it may be hanging
        self.actor = self._placement.anew(self._number)
        self.generation += 1
        try:
            fetch(self.actor.ready.remote(), f"pool {self._number}, placed anew,", self._start_limit_s)
            news = News(list(self._held), [])
            told = self.actor.put_back.remote(self._state, [*news], *self._held.values())
            fetch(told, self.named("told its state"), self.limit_s)
        except LostError as again:
            self.replace(self.generation, again)
            return
        for entry in self._journal:
            self._ask(entry)

    def _noted(self, method: str, args: tuple[Any, ...], doing: str, read: Callable[[Any], Any]) -> Call[Any]:
        call = Call[Any](self, doing, read)
        self._journal.append(Entry(method, args, weakref.ref(call)))
        self._ask(self._journal[-1])
        return call

    def _ask(self, entry: Entry) -> None:
        reference = getattr(self.actor, entry.method).remote(*entry.args)
        if (call := entry.awaited) is not None:
            call.reference, call.generation = reference, self.generation

    def _begin_cut(self) -> None:
        self._cut = self._noted("states", (), "asked for its state", bytes), dict(self._told)

    def _end_cut(self, call: Call[bytes], held: dict[int, Any]) -> None:
        """Let the journal begin with the state, and with the views held then, if that is here."""
        ready, _ = ray.wait([call.reference], timeout=0)
        if not ready:
            return
        place = next(number for number, entry in enumerate(self._journal) if entry.call() is call)
        self._state, self._held = call.result(), held
        del self._journal[: place + 1]
        self._cut, self._left = None, self._restarts

    def _complaint(self, error: LostError) -> str:
        """Who may kill it: the first turns of the journal that did not come back.

        An answer that was on its way when the process died is lost too, whatever it was asked.
        """
        shards = f"shards {self._shards.start} to {self._shards.stop - 1}"
        turns = (entry for entry in self._journal if entry.method in ("train", "round"))
        lost = next((entry for entry in turns if not self._came(entry)), None)
        clients = [] if lost is None else messages.clients(lost.args[0])
        named = ", ".join(map(str, clients[:MOST_NAMED])) + (", …" if len(clients) > MOST_NAMED else "")
        told = f"; the first turns that did not come back are of {len(clients)} clients: {named}"
        return f"{error} It was replaced {self._restarts} times, {shards}{told if clients else ''}"

    def _came(self, entry: Entry) -> bool:
        if (call := entry.awaited) is None:
            return True
        try:
            fetch(call.reference, "", 0.0)
        except LostError:
            return False
        return True
