"""A run that comes to nothing is given up, and does not go on for ever."""

from __future__ import annotations

from collections import Counter

from fedras_ray.errors import FleetError
from fedras_ray.records import Fate
from fedras_ray.snapshots.kinds import kept

MOST_FRUITLESS = 20_000  # turns in a row


@kept("_turns")
class Fruitless:
    """Counts the turns since the last one whose update was used."""

    def __init__(self) -> None:
        self._turns: Counter[Fate] = Counter()

    def see(self, fate: Fate) -> None:
        """A turn is over.

        Raises:
            FleetError: it is the last of so many that came to nothing.
        """
        if fate is Fate.USED:
            self._turns.clear()
            return
        self._turns[fate] += 1
        if self._turns.total() >= MOST_FRUITLESS:
            fates = ", ".join(f"{count:,} {one.name.lower()}" for one, count in self._turns.most_common())
            raise FleetError(
                f"of the last {MOST_FRUITLESS:,} turns none was used ({fates}): turns are longer than "
                "clients stay, or network.dropout, network.loss, faults.flip or server.staleness_limit leave "
                "too few"
            )
