"""How many actions an update gets: as ordered, a fixed number, or as many as it needs and can pay for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.config import codecs as configs

Found = TypeVar("Found")


class Quantiser(Protocol[Found]):
    """What the ladder asks of a codec whose updates are sent as actions."""

    def cluster(self, outgoing: Sequence[Outgoing], k: int) -> list[Found]:
        """At most K actions for each update, in order."""
        ...

    def distortion(self, update: ItemUpdate, found: Found) -> float:
        """What is lost that more actions could bring back, as a share of the update's energy."""
        ...

    def most_bytes(self, update: ItemUpdate, k: int) -> int:
        """No blob of K actions is longer."""
        ...


def clustered(
    quantiser: Quantiser[Found], outgoing: Sequence[Outgoing], count: configs.ActionCount
) -> list[Found]:
    """One result per update, in order.

    A K that was ordered for one update stands. Of the others, a fixed K ignores the budget. An adaptive K
    is the smallest of least, 2·least, 4·least, … most whose distortion is within the target; but never one
    whose blob could exceed the budget, unless even `least` does.
    """
    ordered: dict[int | None, list[int]] = {}  # K -> places
    for place, one in enumerate(outgoing):
        ordered.setdefault(one.actions, []).append(place)
    found: dict[int, Found] = {}
    for k, places in ordered.items():
        members = [outgoing[place] for place in places]
        results = quantiser.cluster(members, k) if k else _as_configured(quantiser, members, count)
        found.update(zip(places, results, strict=True))
    return [found[place] for place in range(len(outgoing))]


def _as_configured(
    quantiser: Quantiser[Found], outgoing: Sequence[Outgoing], count: configs.ActionCount
) -> list[Found]:
    match count:
        case configs.FixedActions(count=k):
            return quantiser.cluster(outgoing, k)
        case configs.AdaptiveActions():
            return _climb(quantiser, outgoing, count)


def relative_loss(rows: NDArray[np.float32], sent: NDArray[np.float32]) -> float:
    """|x − x̂|² / |x|² of (n, D) rows and what the server decodes of them; 0 for rows of zeros."""
    exact = rows.astype(np.float64)  # (n, D)
    lost = float(np.square(exact - sent).sum())
    energy = float(np.square(exact).sum())  # not np.vdot: BLAS would take every core for it
    return lost / energy if energy else 0.0


def _climb(
    quantiser: Quantiser[Found], outgoing: Sequence[Outgoing], wanted: configs.AdaptiveActions
) -> list[Found]:
    """Add actions to those updates that need more and can pay for them."""
    found: dict[int, Found] = {}
    waiting = list(range(len(outgoing)))
    ladder = _rungs(wanted.least, wanted.most)
    for k, more in zip(ladder, [*ladder[1:], None], strict=True):
        found.update(zip(waiting, quantiser.cluster([outgoing[i] for i in waiting], k), strict=True))
        if more is None:
            break
        waiting = [
            i
            for i in waiting
            if _affordable(quantiser, outgoing[i], more)
            and quantiser.distortion(outgoing[i].update, found[i]) > wanted.distortion
        ]
    return [found[i] for i in range(len(outgoing))]


def _affordable(quantiser: Quantiser[Found], one: Outgoing, k: int) -> bool:
    k = min(k, len(one.update.item_ids))  # no blob has more actions than rows
    return one.budget_bytes is None or quantiser.most_bytes(one.update, k) <= one.budget_bytes


def _rungs(least: int, most: int) -> list[int]:
    """Doubling from `least`, and `most`."""
    steps = [least]
    while steps[-1] < most:
        steps.append(min(2 * steps[-1], most))
    return steps
