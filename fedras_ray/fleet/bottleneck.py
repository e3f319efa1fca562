"""The server's own link, shared by all transfers: max–min fair, each capped by its client's link.

Every transfer gets the same share, but none more than its cap, and what the capped ones leave is shared by
the others (progressive filling: D. Bertsekas, R. Gallager, "Data Networks", 2nd edition, 1992, section 6.5.2,
https://web.mit.edu/dimitrib/www/datanets.html). Amounts are whole quanta (see `quanta`), so nothing is lost
or gained however often rates change; the level is rounded down to whole quanta per nanosecond.

A change costs O(log n) in comparisons for n transfers, and again for each that crosses the level: transfers
below it have an instant of completion, those at it have a completion in terms of what the level has carried.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass

from fedras_ray.clock import Nanos
from fedras_ray.errors import FleetError
from fedras_ray.fleet.quanta import QUANTA_PER_BYTE, bytes_per_s, ceil_ratio, quanta_per_ns
from fedras_ray.snapshots.kinds import kept

Entry = tuple[int, int]  # (a place in an order, a key)


@kept()
@dataclass(slots=True)
class _Transfer:
    byte_count: int
    cap: int  # quanta per ns
    missing: int  # quanta, at `since`
    since: int = 0  # ns where it runs at its cap, else what the level had carried
    capped: bool = False

    def ends_at(self) -> int:
        """When it is complete, if it runs at its cap."""
        return self.since + ceil_ratio(self.missing, self.cap)


@kept()
class SharedLink:
    """A link of `capacity_bytes_per_s` (None: no limit) and the transfers on it, over time.

    Keys are whole numbers, such as clients. Time moves forward only.
    """

    def __init__(self, capacity_bytes_per_s: float | None, at_ns: int = 0) -> None:
        self._capacity = None if capacity_bytes_per_s is None else quanta_per_ns(capacity_bytes_per_s)
        if self._capacity == 0:
            raise FleetError(f"a shared link needs a capacity above 0, got {capacity_bytes_per_s} bytes/s")
        self._now = at_ns
        self._transfers: dict[int, _Transfer] = {}
        self._caps: list[Entry] = []  # (cap, key) in order; the first `_capped` run at their caps
        self._capped = 0
        self._capped_rates = 0  # quanta per ns, together
        self._level = 0  # quanta per ns that each of the others gets
        self._level_carried = 0  # quanta that the level has carried up to now
        self._ends: list[Entry] = []  # (instant of completion, key) of those at their caps
        self._marks: list[Entry] = []  # (`_level_carried` at completion, key) of the others
        self._done: list[tuple[Nanos, int, int]] = []  # (instant, key, bytes), not yet told

    def __len__(self) -> int:
        """Transfers under way."""
        return len(self._transfers)

    def add(self, key: int, byte_count: int, cap_bytes_per_s: float, at_ns: int) -> None:
        """Begin a transfer of so many bytes that never gets more than its cap.

        Raises:
            FleetError: the cap is negative, infinite or not a number.
            ValueError: the key is in use, the count is negative, or the instant lies in the past.
        """
        if key in self._transfers or any(key == done for _, done, _ in self._done):
            raise ValueError(f"transfer {key} is on the shared link already")
        if byte_count < 0:
            raise ValueError(f"transfer {key} cannot have {byte_count} bytes")
        cap = quanta_per_ns(cap_bytes_per_s)
        self._move(at_ns)
        if byte_count == 0:
            insort(self._done, (Nanos(at_ns), key, 0))
            return
        self._transfers[key] = _Transfer(byte_count, cap, byte_count * QUANTA_PER_BYTE)
        self._join(key)
        self._level_out()

    def set_cap(self, key: int, cap_bytes_per_s: float, at_ns: int) -> None:
        """The client's own link changes its rate; of no effect where the transfer is complete by then.

        Raises:
            FleetError: the cap is negative, infinite or not a number.
            KeyError: there is no such transfer.
            ValueError: the instant lies in the past.
        """
        cap = quanta_per_ns(cap_bytes_per_s)
        self._move(at_ns)
        if key not in self._transfers:
            self._find_done(key)
            return
        self._leave(key)
        self._transfers[key].cap = cap
        self._join(key)
        self._level_out()

    def remove(self, key: int, at_ns: int) -> int:
        """End a transfer; returns the whole bytes that it has carried: all of them, where it is complete.

        Raises:
            KeyError: there is no such transfer.
            ValueError: the instant lies in the past.
        """
        self._move(at_ns)
        if key not in self._transfers:
            return self._done.pop(self._find_done(key))[2]
        self._leave(key)
        transfer = self._transfers.pop(key)
        self._level_out()
        return transfer.byte_count - ceil_ratio(transfer.missing, QUANTA_PER_BYTE)

    def next_completion(self) -> tuple[Nanos, int] | None:
        """The next completion that `advance` has not told, if nothing changes before; None: there is none."""
        if self._done:
            return self._done[0][:2]
        at = self._next_end()
        return None if at is None else (Nanos(at), min(self._ending(at)))

    def advance(self, at_ns: int) -> list[tuple[Nanos, int]]:
        """Move time forward; returns the completions up to and including the instant, by time and then key.

        Raises:
            ValueError: the instant lies in the past.
        """
        self._move(at_ns)
        told = [done[:2] for done in self._done]
        self._done.clear()
        return told

    def rate_now(self, key: int) -> float:
        """Bytes a second that a transfer gets now."""
        transfer = self._transfers[key]
        return bytes_per_s(transfer.cap if transfer.capped else self._level)

    def _move(self, at_ns: int) -> None:
        """Let time pass, from completion to completion: after each, the others get more."""
        if at_ns < self._now:
            raise ValueError(f"cannot go back to {at_ns} ns: it is already {self._now} ns")
        while (end := self._next_end()) is not None and end <= at_ns:
            ending = self._ending(end)
            self._pass(end)
            for key in sorted(ending):
                self._leave(key)
                self._done.append((Nanos(end), key, self._transfers.pop(key).byte_count))
            self._level_out()
        self._pass(at_ns)

    def _pass(self, at_ns: int) -> None:
        self._level_carried += self._level * (at_ns - self._now)
        self._now = at_ns

    def _next_end(self) -> int | None:
        """When the next transfer is complete at today's rates."""
        ends = [at for at, _ in self._ends[:1]]
        if self._marks and self._level:
            ends.append(self._now + ceil_ratio(self._marks[0][0] - self._level_carried, self._level))
        return min(ends, default=None)

    def _ending(self, at_ns: int) -> list[int]:
        """The transfers that are complete at the next end."""
        carried = self._level_carried + self._level * (at_ns - self._now)
        return [
            key
            for entries, bound in ((self._ends, at_ns), (self._marks, carried))
            for _, key in entries[: bisect_left(entries, (bound + 1,))]
        ]

    def _find_done(self, key: int) -> int:
        for place, (_, done, _) in enumerate(self._done):
            if done == key:
                return place
        raise KeyError(key)

    def _join(self, key: int) -> None:
        """Take a place in the order of caps, on the side of the level where that is."""
        entry = (self._transfers[key].cap, key)
        place = bisect_left(self._caps, entry)
        self._caps.insert(place, entry)
        if place < self._capped:
            self._capped += 1
            self._run_at_cap(key)
        else:
            self._run_at_level(key)

    def _leave(self, key: int) -> None:
        """Settle what a transfer has carried, and give its place up."""
        self._settle(key)
        place = bisect_left(self._caps, (self._transfers[key].cap, key))
        del self._caps[place]
        self._capped -= place < self._capped

    def _run_at_cap(self, key: int) -> None:
        transfer = self._transfers[key]
        transfer.capped, transfer.since = True, self._now
        self._capped_rates += transfer.cap
        if transfer.cap:
            insort(self._ends, (transfer.ends_at(), key))

    def _run_at_level(self, key: int) -> None:
        transfer = self._transfers[key]
        transfer.capped, transfer.since = False, self._level_carried
        insort(self._marks, (transfer.since + transfer.missing, key))

    def _settle(self, key: int) -> None:
        transfer = self._transfers[key]
        if not transfer.capped:
            del self._marks[bisect_left(self._marks, (transfer.since + transfer.missing, key))]
            transfer.missing -= self._level_carried - transfer.since
            return
        self._capped_rates -= transfer.cap
        if transfer.cap:
            del self._ends[bisect_left(self._ends, (transfer.ends_at(), key))]
        transfer.missing -= transfer.cap * (self._now - transfer.since)

    def _level_out(self) -> None:
        """Move transfers across the level until all below it run at their caps, and share what they leave."""
        while True:
            sharing = len(self._caps) - self._capped
            left = None if self._capacity is None else self._capacity - self._capped_rates
            if sharing and (left is None or left >= sharing * self._caps[self._capped][0]):
                key = self._caps[self._capped][1]
                self._settle(key)
                self._run_at_cap(key)
                self._capped += 1
            elif self._capped and left is not None and left < sharing * self._caps[self._capped - 1][0]:
                key = self._caps[self._capped - 1][1]
                self._settle(key)
                self._run_at_level(key)
                self._capped -= 1
            else:
                self._level = left // sharing if sharing and left is not None else 0
                return
